#include "plugins/collection_watcher.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sg::plugins {
namespace {

using namespace std::chrono_literals;

constexpr auto after_notice = 50ms;  // what follows at once is then seen with it
constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

CollectionWatcher::CollectionWatcher(Collections collections, Pace pace, Loop& loop, FileWorker& worker,
                                     Logger& log, Handlers handlers)
    : collections_(std::move(collections)),
      pace_(pace),
      loop_(loop),
      worker_(worker),
      log_(log),
      handlers_(std::move(handlers)) {}

void CollectionWatcher::start() {
    started_ = true;
    inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (inotify_)
        watch_ = loop_.watch(inotify_.get(), EPOLLIN, [this](std::uint32_t) { on_inotify(); });
    else
        log_.info("[WATCH-POLLING] inotify cannot be used; changed plugins are noticed by looking. why={}",
                  std::strerror(errno));
    look();
}

void CollectionWatcher::stop() {
    started_ = false;
    watch_.reset();
    timer_.reset();
}

void CollectionWatcher::on_inotify() {
    // What happened does not matter, only that something did.
    std::array<char, 4096> dropped{};
    while (::read(inotify_.get(), dropped.data(), dropped.size()) > 0) {
    }
    look_in(after_notice);
}

void CollectionWatcher::look_in(Clock::Duration pause) {
    if (!started_) return;
    if (looking_) {
        look_again_ = true;
        return;
    }
    const auto due = loop_.clock().now() + pause;
    if (timer_ && due_ <= due) return;
    due_ = due;
    timer_ = loop_.at(due, [this] { look(); });
}

void CollectionWatcher::look() {
    timer_.reset();
    looking_ = true;
    worker_.add([this, alive = std::weak_ptr<int>(alive_)] {
        auto scan = collections_.scan();
        watch(scan);
        loop_.post([this, alive, scan = std::move(scan)] {
            if (!alive.expired()) on_scan(scan);
        });
    });
}

/// On the worker. Watching once more is the same as once, and a directory that was replaced is another one.
void CollectionWatcher::watch(const Scan& scan) {
    if (!inotify_) return;
    for (const auto& directory : collections_.directories())
        ::inotify_add_watch(inotify_.get(), directory.c_str(), changes);
    for (const auto& plugin : scan.plugins)
        ::inotify_add_watch(inotify_.get(), libraries_of(plugin.file).c_str(), changes);
}

void CollectionWatcher::on_scan(const Scan& scan) {
    looking_ = false;
    if (!started_) return;
    unsettled_ = false;
    const auto now = loop_.clock().now();
    for (const auto& plugin : scan.plugins) directory_of_[plugin.id] = plugin.file.parent_path();
    if (std::exchange(first_, false)) {
        for (const auto& plugin : scan.plugins) seen_[plugin.id] = {plugin.identity, plugin.identity, now};
        handlers_.found(scan.plugins);
    } else {
        for (const auto& plugin : scan.plugins) settle(plugin, now);
        for (auto at = seen_.begin(); at != seen_.end();) {
            const auto& id = at->first;
            const bool is_there = std::any_of(scan.plugins.begin(), scan.plugins.end(),
                                              [&](const auto& plugin) { return plugin.id == id; });
            const bool may_return = scan.unfit.contains(id) || scan.closed.contains(directory_of_[id]);
            if (!is_there && !may_return && settle_gone(id, at->second, now))
                at = seen_.erase(at);
            else
                ++at;
        }
    }
    if (std::exchange(look_again_, false)) look_in(after_notice);
    look_in(unsettled_ ? std::min<Clock::Duration>(pace_.settle, pace_.interval) : pace_.interval);
}

void CollectionWatcher::settle(const FoundPlugin& plugin, Clock::Time now) {
    auto& seen = seen_[plugin.id];
    if (seen.identity != plugin.identity) {
        seen.identity = plugin.identity;
        seen.since = now;
    }
    if (seen.told == seen.identity) return;
    if (now - seen.since < pace_.settle) {
        unsettled_ = true;
        return;
    }
    seen.told = seen.identity;
    handlers_.changed(plugin);
}

/// True when it has been gone for long enough, and this was told.
bool CollectionWatcher::settle_gone(const std::string& id, Seen& seen, Clock::Time now) {
    if (!seen.identity.empty()) {
        seen.identity.clear();
        seen.since = now;
    }
    if (now - seen.since < pace_.settle) {
        unsettled_ = true;
        return false;
    }
    if (!seen.told.empty()) handlers_.gone(id);
    return true;
}

}  // namespace sg::plugins
