#pragma once
// The event log over the site client.

#include <mutex>

#include "site/client.hpp"
#include "stream/event_reader.hpp"

namespace sg::stream {

/// Asks a `site::Client` as one caller: nine fields of each event and those a query names, ascending by id.
///
/// Threads: any; `set_caller` too, and the next query uses it.
/// Lifetime: outlived by `client`.
class SiteEventReader final : public EventReader {
public:
    SiteEventReader(site::Client& client, site::Caller caller);
    ~SiteEventReader();

    Result<Fetched> fetch(const EventQuery& query, std::stop_token stop) override;

    /// Another name or key, after a reload of the configuration.
    void set_caller(site::Caller caller);

private:
    site::Client& client_;
    std::mutex mutex_;
    site::Caller caller_;
};

}  // namespace sg::stream
