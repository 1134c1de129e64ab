#pragma once
// What a site tells the outside of its events, and how that can go wrong.

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sg::sandbox {

struct WebhookSettings {
    std::string url;                          ///< `http://…`
    std::string token{};                      ///< signs the bodies; empty: nothing is signed
    std::vector<std::string> entity_types{};  ///< whose events are told; empty: all that have webhooks
    bool batched = false;                     ///< up to 50 events in one delivery
    /// Tries per delivery. A real site is not known to try again.
    unsigned attempts = 1;
    std::chrono::milliseconds retry_pause{1000};  ///< before the second try; doubled for each one more
    std::chrono::milliseconds time_limit{6000};   ///< for an answer; batched: at least a second per event
};

/// With the members `url`, `token`, `entity_types`, `batched`, `attempts`, `retry_ms` and `limit_ms`, of
/// which only the first must be there. Throws `nlohmann::json::exception`.
WebhookSettings webhook_settings_from(const nlohmann::json& value);

/// What can happen to a delivery.
enum class WebhookFault {
    lost,     ///< it is never sent; the site believes it was
    delayed,  ///< it is sent later, and others overtake it
    forged,   ///< before it comes one that is none of the site's: wrong signature, an event that is not there
    twice     ///< it is sent again, with the same ids
};

enum class WebhookStatus {
    active,
    unstable,  ///< some deliveries of the last 24 hours failed
    failed,    ///< 100 did; nothing more is sent until it is enabled anew
    disabled   ///< by hand
};
std::string_view name_of(WebhookStatus status) noexcept;

/// How one delivery went.
struct WebhookDelivery {
    std::string id, webhook;
    std::vector<std::int64_t> events;  ///< ids of event rows; empty for a change of the webhook's own status
    std::string body;                  ///< as it was sent
    unsigned attempts = 0;             ///< made so far
    long response_code = 0;            ///< of the last try; 0: no answer, or never sent
    std::string response_body;         ///< its first 100 characters
    bool done = false;                 ///< it succeeded, or there will be no further try
    bool delivered = false;            ///< somebody answered with a status below 400, or it was lost
};

struct WebhookState {
    std::string id, url;
    WebhookStatus status = WebhookStatus::active;
    std::size_t waiting = 0;    ///< deliveries not done yet
    std::uint64_t dropped = 0;  ///< events that nobody was told of, because too many were waiting
};

}  // namespace sg::sandbox
