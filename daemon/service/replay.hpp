#pragma once
// Events of the past, through plugins of one's choice, beside a daemon that may be running.

#include <filesystem>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "event/event_page.hpp"
#include "logging/logging.hpp"
#include "plugins/generation.hpp"
#include "service/past_events.hpp"
#include "service/write_intercept.hpp"

namespace sg::service {

struct ReplayOptions {
    std::vector<stream::IdRange> ids;              ///< ascending, apart from one another; or …
    std::optional<Window> window;                  ///< … what was created in a span of time; or …
    std::istream* from = nullptr;                  ///< … a recording, in its own order; see Recording
    std::string recording;                         ///< what messages call it
    std::vector<std::string> plugins;              ///< of the collections; empty, and no library: all
    std::vector<std::filesystem::path> libraries;  ///< plugins by their files
    bool execute = false;  ///< call the callbacks; what they want to change is told and not made
    bool write = false;    ///< … and is made
};

/// Who is shown what happens. One thread at a time, in the order of events; `on_write` may come from another
/// while a callback runs.
class ReplayView {
public:
    virtual void on_event(const event::EventRow& row) = 0;
    virtual void on_missing(stream::IdRange ids) = 0;
    virtual void on_match(const std::string& plugin, const std::string& callback) = 0;
    virtual void on_no_match(const std::string& plugin, const std::string& callback,
                             const std::string& why) = 0;
    virtual void on_write(const IntendedWrite& write) = 0;
    virtual void on_outcome(const std::string& plugin, const std::string& callback,
                            const plugins::Outcome& outcome) = 0;
    /// The host ended while it ran; the plugin gets no more of this replay.
    virtual void on_crash(const std::string& plugin, const std::string& reason) = 0;
    virtual void on_refused(const std::string& plugin, const std::string& why) = 0;

protected:
    ~ReplayView() = default;
};

struct ReplayCounts {
    std::size_t events = 0, missing = 0, matches = 0, failed = 0, refused = 0;
};

/// Uses nothing of the state directory: no position, debt or gap is read or changed, and no lock is taken.
/// Blocks until done. Errors: of the site; `invalid` for a plugin that is in no collection.
Result<ReplayCounts> replay(const config::Config& config, const ReplayOptions& options,
                            logging::Logging& logging, ReplayView& view);

/// Why a filter does not let an event through, for a person; empty if it does.
std::string why_no_match(const EventFilter& filter, std::string_view type, std::string_view attribute);

}  // namespace sg::service
