#pragma once
// Site requests in a dry run.

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "host/requests/requests.hpp"

namespace sg::service {

/// A change that a plugin asked for and that was not made.
struct IntendedWrite {
    std::string plugin, callback, method;
    nlohmann::json arguments;
    nlohmann::json before;  ///< of an update: the fields as they are now; null where that is not known
    EventId event = 0;
};

/// What is not known to change nothing is taken for something that does.
bool changes_nothing(std::string_view method);

/// Lets reads through to the site, and answers what would change something as the site would have, without
/// asking it: an entity that is "made" has the id 0. What it cannot answer so is refused by name.
///
/// Threads:  as `SiteRequests`; `told` is called before the answer, on the thread that the site's own answer
///           came on, or inside `start`.
/// Lifetime: outlived by `next`.
class WriteIntercept final : public host::SiteRequests {
public:
    using Told = std::function<void(const IntendedWrite&)>;
    WriteIntercept(host::SiteRequests& next, Told told) : next_(next), told_(std::move(told)) {}

    void start(host::SiteRequest request, std::stop_token stop,
               std::function<void(host::SiteAnswer)> done) override;

private:
    void update(host::SiteRequest request, IntendedWrite write, std::stop_token stop,
                std::function<void(host::SiteAnswer)> done);

    host::SiteRequests& next_;
    Told told_;
};

}  // namespace sg::service
