// Webhooks over the control door.

#include "sandbox/control.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/site.hpp"

namespace sg::sandbox {
namespace {

WebhookFault fault_of(const std::string& kind) {
    if (kind == "lost") return WebhookFault::lost;
    if (kind == "delayed") return WebhookFault::delayed;
    if (kind == "forged") return WebhookFault::forged;
    if (kind == "twice") return WebhookFault::twice;
    refuse(fault_invalid, "no such fault of a delivery: {}", kind);
}

std::string add(Site& site, const Json& in) { return site.add_webhook(webhook_settings_from(in)); }

Json states(const Site& site) {
    auto out = Json::array();
    for (const auto& state : site.webhooks())
        out.push_back({{"id", state.id},
                       {"url", state.url},
                       {"status", name_of(state.status)},
                       {"waiting", state.waiting},
                       {"dropped", state.dropped}});
    return out;
}

Json deliveries(const Site& site) {
    auto out = Json::array();
    for (const auto& delivery : site.webhook_deliveries())
        out.push_back({{"id", delivery.id},
                       {"webhook", delivery.webhook},
                       {"events", delivery.events},
                       {"attempts", delivery.attempts},
                       {"response_code", delivery.response_code},
                       {"response_body", delivery.response_body},
                       {"done", delivery.done},
                       {"delivered", delivery.delivered}});
    return out;
}

}  // namespace

std::optional<Json> webhook_command(Site& site, const std::string& command, const Json& in) {
    if (command == "add_webhook") return Json{{"id", add(site, in)}};
    if (command == "remove_webhook")
        return Json{{"done", site.remove_webhook(in.at("id").get<std::string>())}};
    if (command == "enable_webhook")
        return Json{{"done", site.enable_webhook(in.at("id").get<std::string>(), in.value("enabled", true))}};
    if (command == "webhooks") return Json{{"webhooks", states(site)}};
    if (command == "deliveries") return Json{{"deliveries", deliveries(site)}};
    if (command == "redeliver") return Json{{"done", site.redeliver(in.at("id").get<std::string>())}};
    if (command != "spoil_deliveries") return std::nullopt;
    site.spoil_deliveries(fault_of(in.at("kind").get<std::string>()), in.value("count", std::size_t{1}),
                          std::chrono::milliseconds(in.value("delay_ms", 0)));
    return Json::object();
}

}  // namespace sg::sandbox
