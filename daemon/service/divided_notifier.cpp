// Several in one process, as one for the service manager.

#include <algorithm>
#include <mutex>

#include "service/notifier.hpp"

namespace sg::service {
namespace {

/// What is said of all of them together.
class Joint {
public:
    Joint(Notifier whole, const std::vector<std::string>& names) : whole_(std::move(whole)) {
        for (const auto& name : names) parts_.push_back({name});
    }

    void ready(std::size_t part) {
        std::lock_guard lock(mutex_);
        parts_[part].is_ready = true;
        tell_if_ready();
    }
    void alive(std::size_t part) {
        std::lock_guard lock(mutex_);
        parts_[part].is_alive = true;
        tell_if_alive();
    }
    void reloading(std::size_t part) {
        std::lock_guard lock(mutex_);
        parts_[part].is_ready = false;
        if (std::exchange(told_ready_, false)) whole_.reloading();
    }
    void stopping(std::size_t part) {
        std::lock_guard lock(mutex_);
        parts_[part].is_stopping = true;
        tell_if_stopping();
    }
    void status(std::size_t part, const std::string& text) {
        std::lock_guard lock(mutex_);
        parts_[part].status = text;
        tell_status();
    }
    void ended(std::size_t part, const std::string& how) {
        std::lock_guard lock(mutex_);
        parts_[part].has_ended = true;
        parts_[part].status = how;
        if (is_each(&Part::has_ended)) return;
        tell_status();
        tell_if_ready();
        tell_if_alive();
        tell_if_stopping();
    }

private:
    struct Part {
        std::string name, status{};
        bool is_ready = false, is_alive = false, is_stopping = false, has_ended = false;
    };

    bool is_each(bool Part::*fact) const {
        return std::all_of(parts_.begin(), parts_.end(),
                           [fact](const Part& part) { return part.has_ended || part.*fact; });
    }
    void tell_if_ready() {
        if (told_ready_ || !is_each(&Part::is_ready)) return;
        told_ready_ = true;
        whole_.ready();
    }
    void tell_if_alive() {
        if (!is_each(&Part::is_alive)) return;
        whole_.alive();
        for (auto& part : parts_) part.is_alive = false;
    }
    void tell_if_stopping() {
        if (told_stopping_ || !is_each(&Part::is_stopping)) return;
        told_stopping_ = true;
        whole_.stopping();
    }
    void tell_status() {
        std::string text;
        for (const auto& part : parts_)
            if (!part.status.empty()) text += (text.empty() ? "" : "; ") + part.name + ": " + part.status;
        whole_.status(text);
    }

    std::mutex mutex_;
    const Notifier whole_;
    std::vector<Part> parts_;
    bool told_ready_ = false, told_stopping_ = false;
};

class PartChannel final : public Notifier::Channel {
public:
    PartChannel(std::shared_ptr<Joint> joint, std::size_t part) : joint_(std::move(joint)), part_(part) {}

    void ready() override { joint_->ready(part_); }
    void alive() override { joint_->alive(part_); }
    void reloading() override { joint_->reloading(part_); }
    void stopping() override { joint_->stopping(part_); }
    void status(const std::string& text) override { joint_->status(part_, text); }
    void ended(const std::string& how) override { joint_->ended(part_, how); }

private:
    const std::shared_ptr<Joint> joint_;
    const std::size_t part_;
};

}  // namespace

std::vector<Notifier> Notifier::divided(const std::vector<std::string>& names) const {
    std::vector<Notifier> parts;
    const auto joint = *this ? std::make_shared<Joint>(*this, names) : nullptr;
    for (std::size_t i = 0; i < names.size(); ++i)
        parts.push_back(joint ? Notifier(std::make_shared<PartChannel>(joint, i), watchdog_) : Notifier());
    return parts;
}

}  // namespace sg::service
