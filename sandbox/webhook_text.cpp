// Webhooks as text, for the data file and the control door.

#include "sandbox/webhooks.hpp"

namespace sg::sandbox {

WebhookSettings webhook_settings_from(const nlohmann::json& value) {
    WebhookSettings settings;
    settings.url = value.at("url").get<std::string>();
    settings.token = value.value("token", std::string());
    settings.entity_types = value.value("entity_types", std::vector<std::string>());
    settings.batched = value.value("batched", false);
    settings.attempts = value.value("attempts", 1U);
    settings.retry_pause = std::chrono::milliseconds(value.value("retry_ms", 1000));
    settings.time_limit = std::chrono::milliseconds(value.value("limit_ms", 6000));
    return settings;
}

std::string Webhooks::as_text() const {
    std::lock_guard lock(mutex_);
    auto hooks = Json::object();
    for (const auto& [id, hook] : hooks_)
        hooks[id] = {{"url", hook.settings.url},
                     {"token", hook.settings.token},
                     {"entity_types", hook.settings.entity_types},
                     {"batched", hook.settings.batched},
                     {"attempts", hook.settings.attempts},
                     {"retry_ms", hook.settings.retry_pause.count()},
                     {"limit_ms", hook.settings.time_limit.count()},
                     {"disabled", hook.status == WebhookStatus::disabled}};
    const Json all{{"hooks", hooks}, {"uuids", uuids_}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Webhooks::apply_text(std::string_view text) {
    const auto all = Json::parse(text, nullptr, false);
    if (!all.is_object() || !all.contains("hooks") || all["hooks"].empty()) return;
    std::call_once(started_, [this] { start(); });
    std::lock_guard lock(mutex_);
    uuids_ = all.value("uuids", std::uint64_t{0});
    for (const auto& [id, value] : all["hooks"].items()) {
        auto& hook = hooks_[id];
        hook.settings = webhook_settings_from(value);
        if (value.value("disabled", false)) hook.status = WebhookStatus::disabled;
    }
}

}  // namespace sg::sandbox
