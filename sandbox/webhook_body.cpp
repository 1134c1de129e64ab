#include "sandbox/webhook_body.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace sg::sandbox {
namespace {

constexpr std::size_t largest_body = 1'000'000;

/// UTC without a zone and with microseconds, as only webhooks write it.
std::string stamp(std::optional<Seconds> time) {
    if (!time) return {};
    return fmt::format("{:%Y-%m-%d %H:%M:%S}.000000",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(*time)));
}

OrderedJson bare_link(const EventLink& link) {
    if (link.type == nullptr) return nullptr;
    return OrderedJson{{"type", link.type->raw}, {"id", link.id}};
}

const char* operation_of(std::string_view action) {
    if (action == "New") return "create";
    if (action == "Change") return "update";
    if (action == "Retirement") return "delete";
    return action == "Revival" ? "revive" : nullptr;
}

std::string dump(const OrderedJson& value) {
    return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void strip_values(OrderedJson& data) {
    if (const auto meta = data.find("meta"); meta != data.end() && meta->is_object()) {
        meta->erase("old_value");
        meta->erase("new_value");
    }
    data["warning"] = "The values are left out because the delivery would be larger than 1 MB.";
}

}  // namespace

std::string_view name_of(WebhookStatus status) noexcept {
    static constexpr std::array<std::string_view, 4> names{"active", "unstable", "failed", "disabled"};
    return names[static_cast<std::size_t>(status)];
}

std::string webhook_signature(const std::string& token, const std::string& body) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    ::HMAC(::EVP_sha1(), token.data(), static_cast<int>(token.size()),
           reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &length);
    std::string out = "sha1=";
    for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

std::optional<OrderedJson> webhook_data(const EventRow& row) {
    if (row.event_type == nullptr) return std::nullopt;
    const std::string_view name = row.event_type->raw;
    const auto first = name.find('_'), last = name.rfind('_');
    if (first == name.npos || first == last || name.substr(0, first) != "Shotgun") return std::nullopt;
    const auto type = name.substr(first + 1, last - first - 1);
    const auto* operation = operation_of(name.substr(last + 1));
    if (operation == nullptr || type == "ApiUser" || type == "EventLogEntry" || type.ends_with("Connection"))
        return std::nullopt;
    auto meta = row.meta ? OrderedJson::parse(*row.meta) : OrderedJson();
    if (meta.is_object() && meta.value("in_create", false)) return std::nullopt;
    OrderedJson data{{"id", fmt::format("{}.{}.0", row.id, row.entity.id)},
                     {"event_log_entry_id", row.id},
                     {"event_type", name},
                     {"operation", operation}};
    data["delivery_id"] = nullptr;
    data["session_uuid"] = row.session_uuid ? OrderedJson(*row.session_uuid) : OrderedJson();
    data["user"] = bare_link(row.user);
    data["entity"] = bare_link(row.entity);
    data["project"] = bare_link(row.project);
    if (row.attribute_name != nullptr) data["attribute_name"] = row.attribute_name->raw;
    data["created_at"] = row.created_at ? OrderedJson(stamp(row.created_at)) : OrderedJson();
    data["meta"] = std::move(meta);
    return data;
}

OrderedJson webhook_status_data(WebhookStatus before, WebhookStatus after, Seconds now) {
    return {{"id", "0"},
            {"event_log_entry_id", 0},
            {"event_type", "Webhook_Status_Change"},
            {"operation", "update"},
            {"delivery_id", nullptr},
            {"session_uuid", nullptr},
            {"user", nullptr},
            {"entity", nullptr},
            {"project", nullptr},
            {"created_at", stamp(now)},
            {"webhook_status", name_of(after)},
            {"previous_webhook_status", name_of(before)},
            {"meta",
             {{"type", "webhook_status_change"},
              {"source", "client"},
              {"old_value", name_of(before)},
              {"new_value", name_of(after)}}}};
}

std::string webhook_body(const std::vector<OrderedJson>& data, bool batched, Seconds now) {
    const auto whole = [&](const std::vector<OrderedJson>& elements) {
        if (!batched) return dump(OrderedJson{{"data", elements.front()}, {"timestamp", iso_text(now)}});
        return dump(OrderedJson{{"timestamp", iso_text(now)}, {"data", {{"deliveries", elements}}}});
    };
    auto body = whole(data);
    if (body.size() <= largest_body) return body;
    auto stripped = data;
    for (auto& element : stripped) strip_values(element);
    return whole(stripped);
}

}  // namespace sg::sandbox
