// The event rows of a write.

#include <fmt/format.h>
#include <algorithm>

#include "sandbox/write.hpp"

namespace sg::sandbox {
namespace {

using Meta = nlohmann::ordered_json;

Json as_array(const Json& link) {
    if (link.is_array()) return link;
    return link.is_null() ? Json::array() : Json::array({link});
}

std::string sentence(std::string_view action, const Record& record, const std::string& attribute) {
    const auto what = fmt::format("{} {}", record.def->type, record.name());
    if (action == "New") return fmt::format("A new {} was created", what);
    if (action == "Change") return fmt::format("The {} of {} was changed", attribute, what);
    return fmt::format("{} was {}", what, action == "Revival" ? "revived" : "retired");
}

/// A file or link in `meta` has keys of its own.
Meta file_in_meta(const Json& value) {
    const auto text = [&](const char* key) { return value.contains(key) ? value[key] : Json(); };
    const auto kind = text("link_type");
    return {{"attachment_id", text("id")},
            {"attachment_type", kind == "web" ? Json("http_url") : kind},
            {"attachment_uuid", nullptr},
            {"display_name", text("name")},
            {"url", text("url")}};
}

}  // namespace

/// A link in `meta` has more keys than the same link in a field.
nlohmann::ordered_json Writer::in_meta(const Json& value) const {
    const auto key = link_key(value);
    if (key.type.empty()) return value;
    const auto* target = std::as_const(store_).find(key.type, key.id);
    if (target == nullptr) return value;
    Meta out{{"type", key.type}, {"id", key.id}, {"name", target->name()}};
    out["valid"] = target->retired ? "retired" : "valid";
    out["status"] = target->value("sg_status_list");
    out["uuid"] = fmt::format("00000000-0000-4000-8000-{:012x}", key.id);
    return out;
}

nlohmann::ordered_json Writer::in_meta_array(const Json& links) const {
    auto out = Meta::array();
    for (const auto& link : links) out.push_back(in_meta(link));
    return out;
}

Id Writer::log_row(const Caller& caller, const Record& record, std::string_view action,
                   const std::string& attribute, nlohmann::ordered_json meta, Seconds now) {
    if (!caller.logs_events) return 0;
    if (!caller.sudo_actual_user.is_null()) meta["sudo_actual_user"] = caller.sudo_actual_user;
    EventRow row;
    row.event_type = log_.intern(fmt::format("Shotgun_{}_{}", record.def->type, action));
    if (!attribute.empty()) row.attribute_name = log_.intern(attribute);
    row.meta = std::make_shared<const std::string>(meta.dump());
    row.entity = log_.link(link_to(record.def->type, record.id), store_);
    if (!caller.user.type.empty()) row.user = log_.link(link_to(caller.user.type, caller.user.id), store_);
    if (record.def->in_project) row.project = log_.link(record.value("project"), store_);
    if (caller.session_uuid) row.session_uuid = std::make_unique<std::string>(*caller.session_uuid);
    row.created_at = now;
    row.description = std::make_unique<std::string>(sentence(action, record, attribute));
    return log_.add(std::move(row));
}

Id Writer::log_change(const Caller& caller, const Record& record, const Change& change, Seconds now, In in) {
    Meta meta{{"type", "attribute_change"},
              {"attribute_name", change.field->name},
              {"entity_type", record.def->type},
              {"entity_id", record.id},
              {"field_data_type", name_of(change.field->type)}};
    if (in == In::create) meta["in_create"] = true;
    if (change.field->type == DataType::url) {
        meta["old_value"] = change.before.is_null() ? Meta() : file_in_meta(change.before);
        meta["new_value"] = change.after.is_null() ? Meta() : file_in_meta(change.after);
    } else if (change.field->type == DataType::password) {
        meta["old_value"] = meta["new_value"] = "*******";
    } else if (holds_array(change.field->type)) {
        const auto minus = [](const Json& from, const Json& other) {
            auto out = Json::array();
            for (const auto& element : as_array(from))
                if (std::find(other.begin(), other.end(), element) == other.end()) out.push_back(element);
            return out;
        };
        meta["added"] = in_meta_array(minus(change.after, as_array(change.before)));
        meta["removed"] = in_meta_array(minus(change.before, as_array(change.after)));
    } else {
        meta["old_value"] = in_meta(change.before);
        meta["new_value"] = in_meta(change.after);
    }
    return log_row(caller, record, "Change", change.field->name, std::move(meta), now);
}

/// The row's `entity` and `attribute_name` speak of the other end; its `meta` of the row written.
void Writer::log_back_references(const Caller& caller, const Record& record, const Change& change,
                                 Id original, Seconds now, In) {
    const auto& name = change.field->back_reference;
    if (name.empty()) return;
    const auto self = in_meta_array(Json::array({link_to(record.def->type, record.id)}));
    const auto tell = [&](const Json& links, const Json& others, bool added) {
        for (const auto& link : as_array(links)) {
            const auto rest = as_array(others);
            if (std::find(rest.begin(), rest.end(), link) != rest.end()) continue;
            const auto key = link_key(link);
            const auto* target = store_.find(key.type, key.id);
            if (target == nullptr || target->def->field(name) == nullptr) continue;
            Meta meta{{"type", "attribute_change"},
                      {"attribute_name", name},
                      {"actual_attribute_changed", record.def->type + "." + change.field->name},
                      {"original_event_log_entry_id", original},
                      {"entity_type", record.def->type},
                      {"entity_id", record.id},
                      {"field_data_type", name_of(change.field->type)}};
            meta["added"] = added ? self : Meta::array();
            meta["removed"] = added ? Meta::array() : self;
            log_row(caller, *target, "Change", name, std::move(meta), now);
        }
    };
    tell(change.before, change.after, false);
    tell(change.after, change.before, true);
}

}  // namespace sg::sandbox
