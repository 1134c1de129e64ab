#include "util/loop.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace sg {

struct Loop::Handle::Entry {
    Loop* loop = nullptr;
    int fd = -1;  // a watch; else a timer
    std::function<void(std::uint32_t)> ready;
    std::function<void()> due;
    bool cancelled = false;
    std::multimap<Clock::Time, std::shared_ptr<Entry>>::iterator place;
    bool queued = false;
};

Loop::Handle& Loop::Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        reset();
        entry_ = std::move(other.entry_);
        alive_ = std::move(other.alive_);
    }
    return *this;
}

void Loop::Handle::reset() noexcept {
    if (const auto entry = std::move(entry_); entry && !alive_.expired()) entry->loop->cancel(*entry);
    alive_.reset();
}

Loop::Loop(Clock& clock)
    : clock_(clock),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      alive_(std::make_shared<int>()) {
    if (!epoll_ || !wake_)
        throw std::system_error(errno, std::generic_category(), "cannot make an event loop");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
    jump_key_ = clock_.on_jump([this] { wake(); });
}

Loop::~Loop() { clock_.off_jump(jump_key_); }

void Loop::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Loop::post(std::function<void()> function) {
    bool first = false;
    {
        std::lock_guard lock(posted_mutex_);
        first = posted_.empty();
        posted_.push_back(std::move(function));
    }
    if (first) wake();
}

Loop::Handle Loop::at(Clock::Time when, std::function<void()> function) {
    Handle handle;
    handle.entry_ = std::make_shared<Handle::Entry>();
    handle.entry_->loop = this;
    handle.entry_->due = std::move(function);
    handle.entry_->place = timers_.emplace(when, handle.entry_);
    handle.entry_->queued = true;
    handle.alive_ = alive_;
    return handle;
}

Loop::Handle Loop::after(Clock::Duration pause, std::function<void()> function) {
    return at(clock_.now() + pause, std::move(function));
}

Loop::Handle Loop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> function) {
    Handle handle;
    handle.entry_ = std::make_shared<Handle::Entry>();
    handle.entry_->loop = this;
    handle.entry_->fd = fd;
    handle.entry_->ready = std::move(function);
    handle.alive_ = alive_;
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
    watches_[fd] = handle.entry_;
    return handle;
}

void Loop::modify(const Handle& watch, std::uint32_t events) {
    if (!watch.entry_) return;
    epoll_event event{};
    event.events = events;
    event.data.fd = watch.entry_->fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.entry_->fd, &event);
}

void Loop::cancel(Handle::Entry& entry) noexcept {
    if (entry.cancelled) return;
    entry.cancelled = true;
    if (entry.fd >= 0) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entry.fd, nullptr);
        watches_.erase(entry.fd);
    } else if (entry.queued) {
        entry.queued = false;
        timers_.erase(entry.place);
    }
}

std::size_t Loop::run_posted() {
    std::deque<std::function<void()>> batch;
    {
        std::lock_guard lock(posted_mutex_);
        batch.swap(posted_);
    }
    for (auto& function : batch) function();
    return batch.size();
}

std::size_t Loop::run_due() {
    std::size_t ran = 0;
    const auto now = clock_.now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const auto entry = timers_.begin()->second;
        timers_.erase(timers_.begin());
        entry->queued = false;
        ++ran;
        const auto function = std::move(entry->due);
        function();
    }
    return ran;
}

std::size_t Loop::turn(bool wait) {
    int timeout = 0;
    if (wait) {
        timeout = -1;
        if (!timers_.empty()) {
            if (const auto left = clock_.until(timers_.begin()->first)) {
                // Rounded up, so that a timer due in 0.3 ms does not spin until then.
                const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
                timeout = static_cast<int>(std::min<std::int64_t>(ms, 3'600'000));
            }
        }
    }
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
    std::size_t ran = 0;
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == wake_.get()) {
            std::uint64_t ignored = 0;
            [[maybe_unused]] const auto taken = ::read(wake_.get(), &ignored, sizeof ignored);
            continue;
        }
        const auto found = watches_.find(event.data.fd);
        if (found == watches_.end()) continue;  // cancelled by a function that ran before it in this turn
        const auto entry = found->second;
        ++ran;
        entry->ready(event.events);
    }
    ran += run_posted();
    ran += run_due();
    return ran;
}

void Loop::run(std::stop_token stop) {
    std::stop_callback wake_up(stop, [this] { wake(); });
    while (!stop.stop_requested()) turn(true);
    run_posted();
}

std::size_t Loop::run_ready() {
    std::size_t total = 0;
    while (const auto ran = turn(false)) total += ran;
    return total;
}

}  // namespace sg
