// activity_stream and note_thread_contents.

#include <algorithm>

#include "sandbox/params.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;

/// Updates are numbered apart from the events they are made of.
constexpr Id first_update = 1'000'000;
constexpr std::int64_t most_updates = 500, usual_updates = 25;

std::string update_type_of(const EventRow& row, const Json& meta) {
    const auto& type = row.event_type->raw;
    if (type == "Shotgun_Reply_New") return "create_reply";
    if (type.ends_with("_New")) return "create";
    if (type.ends_with("_Retirement")) return "delete";
    if (!type.ends_with("_Change") || meta.contains("in_create") || meta.contains("actual_attribute_changed"))
        return {};
    return row.attribute_name != nullptr && row.attribute_name->raw == "retirement_date" ? "" : "update";
}

/// Whether `row` is the entity, or one of its fields points to it.
bool belongs_to(const Record& row, const LinkKey& entity) {
    if (row.def->type == entity.type && row.id == entity.id) return true;
    for (const auto& field : row.def->fields) {
        if (field.access == Access::read_only || field.type != DataType::entity) {
            if (!holds_links(field.type) || field.access == Access::read_only) continue;
            for (const auto& link : row.value(field.name))
                if (link_key(link) == entity) return true;
            continue;
        }
        if (field.access == Access::editable && link_key(row.value(field.name)) == entity) return true;
    }
    return false;
}

void add_fields(Ordered& out, const Record& row, const Json& entity_fields, const EntityStore& store) {
    const auto& fields = member(entity_fields, row.def->type.c_str());
    if (!fields.is_array()) return;
    const RecordView view(row, store);
    for (const auto& field : fields) {
        if (!field.is_string()) continue;
        Json value;
        const auto name = field.get<std::string>();
        if (shown_at(name, *row.def, view, store, value)) out[name] = std::move(value);
    }
}

std::string spaced(const Json& iso) {
    const auto time = iso.is_string() ? read_date_time(iso.get<std::string>()) : std::nullopt;
    return time ? utc_text(*time) : std::string();
}

Ordered person(const LinkKey& key, const EntityStore& store) {
    auto out = full_link(key, store);
    if (out.is_null()) return out;
    out.erase("valid");
    out["image"] = store.find(key.type, key.id)->value("image");
    return out;
}

Ordered thread_part(const Record& row, const char* text, const char* author, const Call& call) {
    Ordered out{{"type", row.def->type}, {"id", row.id}};
    if (text != nullptr) out["content"] = row.value(text);
    out["created_at"] = spaced(row.value("created_at"));
    auto who = full_link(link_key(row.value(author)), call.store);
    if (who.is_null()) who = full_link(link_key(row.value("created_by")), call.store);
    out[author] = std::move(who);
    add_fields(out, row, member(call.params, "entity_fields"), call.store);
    return out;
}

}  // namespace

nlohmann::ordered_json activity_stream(const Call& call) {
    const auto& def = type_in(call.params, call);
    const LinkKey entity{def.type, id_in(call.params, call)};
    if (std::as_const(call.store).find(entity.type, entity.id) == nullptr)
        refuse(fault_crud, "API {}() CRUD ERROR #3: Entity of type [{}] with id={} does not exist.",
               call.method, entity.type, entity.id);
    const auto bound = [&](const char* key, Id otherwise) {
        return member(call.params, key).is_null() ? otherwise : id_in(call.params, call, key);
    };
    const auto lowest = bound("min_id", 0), highest = bound("max_id", std::numeric_limits<Id>::max());
    const auto limit = std::clamp<std::int64_t>(bound("limit", usual_updates), 1, most_updates);
    auto updates = Ordered::array();
    const auto& rows = call.log.rows();
    for (auto at = rows.rbegin(); at != rows.rend(); ++at) {
        const auto& row = at->second;
        const auto id = row.id + first_update;
        if (row.hidden || row.event_type == nullptr || row.entity.type == nullptr || id >= highest) continue;
        if (id <= lowest || static_cast<std::int64_t>(updates.size()) >= limit) break;
        const auto* primary = std::as_const(call.store).find(row.entity.type->raw, row.entity.id);
        if (primary == nullptr || !belongs_to(*primary, entity)) continue;
        const auto meta = row.meta ? Json::parse(*row.meta) : Json::object();
        const auto kind = update_type_of(row, meta);
        if (kind.empty()) continue;
        auto shown = full_link({primary->def->type, primary->id}, call.store);
        shown.erase("valid");
        add_fields(shown, *primary, member(call.params, "entity_fields"), call.store);
        const LinkKey who = row.user.type == nullptr ? LinkKey{} : LinkKey{row.user.type->raw, row.user.id};
        updates.push_back({{"id", id},
                           {"update_type", kind},
                           {"read", false},
                           {"created_at", row.created_at ? Json(utc_text(*row.created_at)) : Json()},
                           {"created_by", person(who, call.store)},
                           {"primary_entity", std::move(shown)},
                           {"meta", meta}});
    }
    const auto end = [&](bool newest) -> Ordered {
        if (updates.empty()) return nullptr;
        return newest ? updates.front()["id"] : updates.back()["id"];
    };
    const auto earliest = end(false), latest = end(true);
    return {{"entity_type", entity.type},
            {"entity_id", entity.id},
            {"earliest_update_id", earliest},
            {"latest_update_id", latest},
            {"updates", std::move(updates)}};
}

nlohmann::ordered_json note_thread(const Call& call) {
    const auto id = id_in(call.params, call, "note_id");
    const auto& store = std::as_const(call.store);
    const auto* note = store.find("Note", id);
    if (note == nullptr || note->retired)
        refuse(fault_crud, "API {}() CRUD ERROR #3: Entity of type [Note] with id={} does not exist.",
               call.method, id);
    auto out = Ordered::array({thread_part(*note, "content", "created_by", call)});
    std::vector<std::pair<std::string, const Record*>> parts;  // by time, then as they are listed
    for (const auto* list : {"attachments", "replies"})
        for (const auto& link : note->value(list)) {
            const auto key = link_key(link);
            const auto* row = store.find(key.type, key.id);
            if (row == nullptr || row->retired) continue;
            const auto& at = row->value("created_at");
            parts.emplace_back(at.is_string() ? at.get<std::string>() : "", row);
        }
    std::ranges::stable_sort(parts, {}, [](const auto& part) { return part.first; });
    for (const auto& [at, row] : parts)
        out.push_back(row->def->type == "Reply" ? thread_part(*row, "content", "user", call)
                                                : thread_part(*row, nullptr, "created_by", call));
    return out;
}

}  // namespace sg::sandbox
