#pragma once
// The event log over the site client.

#include <mutex>

#include "site/client.hpp"
#include "stream/event_reader.hpp"

namespace sg::stream {

/// Asks a `site::Client` as one script: nine fields of each event, ascending by id.
///
/// Threads: any; `set_script` too, and the next query uses it.
/// Lifetime: outlived by `client`.
class SiteEventReader final : public EventReader {
public:
    SiteEventReader(site::Client& client, site::Script script);
    ~SiteEventReader();

    Result<Fetched> fetch(const EventQuery& query, std::stop_token stop) override;

    /// Another name or key, after a reload of the configuration.
    void set_script(site::Script script);

private:
    site::Client& client_;
    std::mutex mutex_;
    site::Script script_;
};

}  // namespace sg::stream
