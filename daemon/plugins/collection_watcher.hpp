#pragma once
// Notices that plugins come, change and go.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "plugins/collection.hpp"
#include "plugins/file_worker.hpp"
#include "util/fd.hpp"
#include "util/loop.hpp"

namespace sg::plugins {

/// Looks at the directories again and again, and sooner where inotify says that something happened:
/// it is blind on network file systems, so the looking is what counts.
///
/// A file that is new or has changed is told of when it has looked the same for `settle`, and one that is
/// gone when it was gone for as long: somebody may still be copying. What was found in a directory that
/// cannot be read is not gone, nor is a file that cannot be a plugin just now.
///
/// Threads:  the loop's; the disk is read on the worker, which ends first.
class CollectionWatcher {
public:
    struct Pace {
        std::chrono::milliseconds interval{5'000};
        std::chrono::milliseconds settle{1'000};
    };
    struct Handlers {
        std::function<void(const std::vector<FoundPlugin>&)> found;  ///< once, at first
        std::function<void(const FoundPlugin&)> changed;             ///< also what is new
        std::function<void(const std::string& plugin)> gone;
    };

    CollectionWatcher(Collections collections, Pace pace, Loop& loop, FileWorker& worker, Logger& log,
                      Handlers handlers);

    void start();
    void stop();

private:
    struct Seen {
        std::string identity;  // at the last look; empty: gone
        std::string told;      // when the owner was last told
        Clock::Time since{};   // of `identity`
    };

    void look();
    void look_in(Clock::Duration pause);
    void watch(const Scan& scan);
    void on_scan(const Scan& scan);
    void settle(const FoundPlugin& plugin, Clock::Time now);
    bool settle_gone(const std::string& id, Seen& seen, Clock::Time now);
    void on_inotify();

    Collections collections_;  // on the worker
    Pace pace_;
    Loop& loop_;
    FileWorker& worker_;
    Logger& log_;
    Handlers handlers_;
    UniqueFd inotify_;
    Loop::Handle watch_, timer_;
    Clock::Time due_{};
    std::map<std::string, Seen> seen_;
    std::map<std::string, std::filesystem::path> directory_of_;
    bool started_ = false, looking_ = false, look_again_ = false, unsettled_ = false, first_ = true;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace sg::plugins
