#pragma once
// Keys that plugins bring along are secrets too.

#include <mutex>
#include <set>

#include "host/requests/requests.hpp"
#include "logging/logging.hpp"

namespace sg::service {

/// Tells the log about every key that a request carries, then hands the request on.
///
/// Threads: any.
class KeyMasking final : public host::SiteRequests {
public:
    KeyMasking(host::SiteRequests& next, logging::Logging& logging) : next_(next), logging_(logging) {}

    void start(host::SiteRequest request, std::stop_token stop,
               std::function<void(host::SiteAnswer)> done) override {
        if (const auto& key = request.credential.script_key; !key.empty()) mask(key);
        next_.start(std::move(request), std::move(stop), std::move(done));
    }

    void mask(const std::string& key) {
        std::lock_guard lock(mutex_);
        if (known_.insert(key).second) logging_.add_secret(key);
    }

private:
    host::SiteRequests& next_;
    logging::Logging& logging_;
    std::mutex mutex_;
    std::set<std::string> known_;
};

}  // namespace sg::service
