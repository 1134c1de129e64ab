#include "host/link/memory_channel.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

namespace sg::host {
namespace {

// What the host may have sent and the daemon not yet read; then the host waits.
constexpr std::size_t from_host_limit = 4096;

class MemoryDaemonChannel;

struct Shared {
    explicit Shared(Loop& the_loop) : loop(the_loop) {}
    Loop& loop;
    std::mutex mutex;
    std::condition_variable to_host_changed, from_host_changed;
    std::deque<ToHost> to_host;
    std::deque<FromHost> from_host;
    bool woken = false;
    bool daemon_closed = false;
    bool host_closed = false;
    bool posted = false;                    // a turn of the daemon's end is on its way
    MemoryDaemonChannel* daemon = nullptr;  // loop thread only
};

/// Asks for a turn of the daemon's end on the loop; with the mutex held.
void post_turn(const std::shared_ptr<Shared>& shared);

class MemoryDaemonChannel final : public DaemonChannel {
public:
    explicit MemoryDaemonChannel(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {
        shared_->daemon = this;
    }
    ~MemoryDaemonChannel() override {
        close();
        shared_->daemon = nullptr;
    }

    void open(Handlers handlers) override {
        handlers_ = std::move(handlers);
        std::lock_guard lock(shared_->mutex);
        if (!shared_->from_host.empty() || shared_->host_closed) post_turn(shared_);
    }
    void send(ToHost message) override {
        std::lock_guard lock(shared_->mutex);
        if (shared_->host_closed || shared_->daemon_closed) return;
        shared_->to_host.push_back(std::move(message));
        shared_->to_host_changed.notify_one();
    }
    void receive_rest() override { turn(); }
    void close() override {
        ended_ = true;
        std::lock_guard lock(shared_->mutex);
        shared_->daemon_closed = true;
        shared_->to_host_changed.notify_all();
        shared_->from_host_changed.notify_all();
    }

    void turn() {
        if (!handlers_.message) return;
        std::deque<FromHost> messages;
        bool closed = false;
        {
            std::lock_guard lock(shared_->mutex);
            messages.swap(shared_->from_host);
            closed = shared_->host_closed;
            shared_->from_host_changed.notify_all();
        }
        for (auto& message : messages) {
            if (ended_) return;
            handlers_.message(std::move(message));
        }
        if (closed && !ended_) {
            ended_ = true;
            handlers_.ended(std::nullopt);
        }
    }

private:
    std::shared_ptr<Shared> shared_;
    Handlers handlers_;
    bool ended_ = false;
};

void post_turn(const std::shared_ptr<Shared>& shared) {
    if (shared->posted) return;
    shared->posted = true;
    shared->loop.post([shared] {
        {
            std::lock_guard lock(shared->mutex);
            shared->posted = false;
        }
        if (shared->daemon != nullptr) shared->daemon->turn();
    });
}

class MemoryHostChannel final : public HostChannel {
public:
    explicit MemoryHostChannel(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    ~MemoryHostChannel() override {
        std::lock_guard lock(shared_->mutex);
        shared_->host_closed = true;
        shared_->to_host.clear();
        if (!shared_->daemon_closed) post_turn(shared_);
    }

    bool send(FromHost message, WhenFull when_full) override {
        std::unique_lock lock(shared_->mutex);
        const auto has_room = [this] {
            return shared_->daemon_closed || shared_->from_host.size() < from_host_limit;
        };
        if (when_full == WhenFull::drop && !has_room()) return false;
        shared_->from_host_changed.wait(lock, has_room);
        if (shared_->daemon_closed) return false;
        shared_->from_host.push_back(std::move(message));
        post_turn(shared_);
        return true;
    }

    Received receive(std::optional<std::chrono::milliseconds> at_most) override {
        std::unique_lock lock(shared_->mutex);
        const auto is_ready = [this] {
            return shared_->woken || shared_->daemon_closed || !shared_->to_host.empty();
        };
        if (at_most)
            shared_->to_host_changed.wait_for(lock, *at_most, is_ready);
        else
            shared_->to_host_changed.wait(lock, is_ready);
        shared_->woken = false;
        if (shared_->daemon_closed) return {std::nullopt, true};
        if (shared_->to_host.empty()) return {};
        Received received{std::move(shared_->to_host.front()), false};
        shared_->to_host.pop_front();
        return received;
    }

    void wake() noexcept override {
        std::lock_guard lock(shared_->mutex);
        shared_->woken = true;
        shared_->to_host_changed.notify_all();
    }

private:
    std::shared_ptr<Shared> shared_;
};

}  // namespace

MemoryLink make_memory_link(Loop& loop) {
    auto shared = std::make_shared<Shared>(loop);
    return {std::make_unique<MemoryDaemonChannel>(shared), std::make_unique<MemoryHostChannel>(shared)};
}

}  // namespace sg::host
