#pragma once
// What calls of callbacks took, and how far behind plugins are, for as long as the daemon runs.

#include <map>
#include <string>
#include <vector>

#include "admin/snapshot.hpp"
#include "dispatch/ended_call.hpp"

namespace sg::service {

/// Kept by the plugin's name, so that one which is reloaded, or whose file is gone for a while, counts on.
///
/// Threads: the loop's only.
class PluginTimes {
public:
    void add(const dispatch::EndedCall& call);

    /// Adds what is known of each plugin to its view, and how old the oldest event is that is not settled. Of
    /// an event in hand that is the time since it was written on the site. Where a plugin is behind with
    /// nothing in hand, since it never registered or its events are still to be fetched, it is the time since
    /// that began, or since the plugin last got on. `skew` is the site's clock minus ours.
    void tell(std::vector<admin::PluginView>& plugins, UtcTime now,
              std::optional<std::chrono::milliseconds> skew);

private:
    struct Times {
        admin::Histogram calls, delays;
        EventId position = 0;  // when it was last looked at
        UtcTime moved{};       // when it last got on, or had something in hand, or was not behind
    };
    std::map<std::string, Times, std::less<>> plugins_;
    std::vector<Times*> lanes_;  // of `plugins_`, as a look-up by name for each call costs too much
    std::chrono::milliseconds skew_{0};
};

}  // namespace sg::service
