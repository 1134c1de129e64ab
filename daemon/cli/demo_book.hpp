#pragma once
// What happened in the demo: who changed what, and which plugin did something about it.

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sandbox/production.hpp"
#include "service/observer.hpp"

namespace sg::cli {

/// One change that is worth a line.
struct DemoLine {
    std::chrono::system_clock::time_point time;
    std::string who;
    bool by_plugin = false;
    std::string what;    ///< "Task aur_010_0030 / Comp"
    std::string change;  ///< "sg_status_list rev → fin"
    struct Reaction {
        std::string plugin;
        std::optional<std::chrono::milliseconds> after;  ///< nullopt: not handled yet
    };
    std::vector<Reaction> reactions;
};

/// One plugin's account.
struct DemoTally {
    std::set<EventId> handled;  ///< every callback that wanted it succeeded
    std::uint64_t failures = 0;
    std::size_t behind = 0;  ///< as the daemon last said
    std::chrono::milliseconds longest{};
};

/// Kept from both sides: `on_change` is told by the sandbox, the rest by the daemon.
///
/// Threads: any; nothing is done under the lock but bookkeeping.
class DemoBook final : public service::Observer {
public:
    /// `scripts`: what the plugins' own changes are signed with.
    explicit DemoBook(std::set<std::string> scripts) : scripts_(std::move(scripts)) {}

    void on_change(const sandbox::PlayedChange& change);

    void on_events(const event::EventPage& page) override;
    void on_outcome(const plugins::Generation& generation, const plugins::Outcome& outcome,
                    std::size_t behind) override;
    void on_host_ready(const plugins::Generation& generation) override;
    void on_host_end(const plugins::Generation& generation, const plugins::HostEnd& end) override;
    void on_refused(const std::string& plugin, const Failure& why, bool will_retry) override;
    void on_site(EventId level) override;

    /// Lines that are complete, or have waited a second for it; in order, each once.
    std::vector<DemoLine> take_lines();
    /// What else there is to say: a host ended, a plugin was refused.
    std::vector<std::string> take_remarks();

    /// The site answers and this many plugins serve: what happens from now on is theirs.
    bool is_ready(std::size_t plugins) const;
    /// Every event through `id` was seen, and handled by whoever wants it.
    bool is_level(EventId id) const;
    /// The plugins that want such an event.
    std::vector<std::string> wanted_by(std::string_view type, std::string_view attribute) const;

    std::uint64_t changes() const;
    EventId seen() const;
    std::map<std::string, DemoTally> tallies() const;

private:
    struct Entry {
        DemoLine line;
        bool seen = false, worth_a_line = false;
        std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
        std::map<std::string, std::size_t> owed;  // plugin to callbacks without a success
        std::map<std::string, std::chrono::milliseconds> after;
    };
    bool is_complete(const Entry& entry) const { return entry.seen && entry.owed.empty(); }
    DemoLine finished_line(const Entry& entry) const;

    const std::set<std::string> scripts_;
    mutable std::mutex mutex_;
    bool site_ = false;
    EventId seen_ = 0;
    std::uint64_t changes_ = 0;
    std::map<EventId, Entry> open_;
    std::map<std::string, std::vector<plugins::CallbackInfo>> serving_;
    std::map<std::string, DemoTally> tallies_;
    std::vector<std::string> remarks_;
};

}  // namespace sg::cli
