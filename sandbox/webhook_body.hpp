#pragma once
// The words of a webhook delivery.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sandbox/event_log.hpp"
#include "sandbox/webhook.hpp"

namespace sg::sandbox {

using OrderedJson = nlohmann::ordered_json;

/// `sha1=` and the HMAC-SHA1 of `body` in lower-case hex.
std::string webhook_signature(const std::string& token, const std::string& body);

/// `data` of a delivery for one event row, without `delivery_id`; nullopt for rows that webhooks are not
/// told of: types without webhooks, values set during creation, actions that are no change of a row.
std::optional<OrderedJson> webhook_data(const EventRow& row);

/// `data` of the delivery that tells of the webhook itself.
OrderedJson webhook_status_data(WebhookStatus before, WebhookStatus after, Seconds now);

/// The whole body: one `data`, or several as a batch. What is above 1 MB loses its values and says so.
std::string webhook_body(const std::vector<OrderedJson>& data, bool batched, Seconds now);

}  // namespace sg::sandbox
