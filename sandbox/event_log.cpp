#include "sandbox/event_log.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <utility>

namespace sg::sandbox {
namespace {

std::string json_text(std::string_view text) { return Json(text).dump(); }

/// What the link shows now: null while its target is retired, and the target's name of today.
std::string_view link_text(const EventLink& link, const EntityStore& store) {
    if (link.type == nullptr) return "null";
    if (link.own_text != nullptr) return *link.own_text;
    const auto* target = store.find(link.type->raw, link.id);
    return target == nullptr || target->retired ? std::string_view("null") : target->link_text;
}

Json link_value(const EventLink& link, const EntityStore& store) {
    if (link.type == nullptr) return nullptr;
    if (link.own_text != nullptr) return Json::parse(*link.own_text);
    const auto* target = store.find(link.type->raw, link.id);
    return target == nullptr || target->retired ? Json() : link_to(link.type->raw, link.id);
}

const EventLink* link_of(const EventRow& row, std::string_view field) {
    if (field == "entity") return &row.entity;
    if (field == "user") return &row.user;
    return field == "project" ? &row.project : nullptr;
}

void put(LinkIndex& index, const EventRow& row, std::string_view field) {
    const auto* link = link_of(row, field);
    if (link->type != nullptr) index.add(link->type->raw, link->id, row.id);
}

bool write_value(std::string& out, const EventRow& row, std::string_view field, const EntityStore& store) {
    const auto text = [&](const Shared* value) { out += value == nullptr ? "null" : value->json; };
    const auto own = [&](const std::unique_ptr<std::string>& value) {
        out += value ? json_text(*value) : "null";
    };
    if (field == "event_type") return text(row.event_type), true;
    if (field == "attribute_name") return text(row.attribute_name), true;
    if (field == "meta") return out += row.meta ? *row.meta : "null", true;
    if (field == "entity") return out += link_text(row.entity, store), true;
    if (field == "user") return out += link_text(row.user, store), true;
    if (field == "project") return out += link_text(row.project, store), true;
    if (field == "created_at")
        return out += row.created_at ? '"' + iso_text(*row.created_at) + '"' : "null", true;
    if (field == "session_uuid") return own(row.session_uuid), true;
    if (field == "description") return own(row.description), true;
    if (field == "cached_display_name") return own(row.description), true;
    if (field == "image" || field == "filmstrip_image" || field == "image_source_entity" ||
        field == "image_blur_hash")
        return out += "null", true;
    return false;
}

}  // namespace

Id EventLog::add(EventRow row) {
    if (row.id == 0) row.id = next_id_;
    next_id_ = std::max(next_id_, row.id + 1);
    if (hide_next_ > 0) {
        --hide_next_;
        row.hidden = true;
    }
    const auto id = row.id;
    for (auto& [field, index] : indexed_) put(index, row, field);
    rows_.insert_or_assign(rows_.end(), id, std::move(row));
    if (added_) added_->push_back(id);
    written(id);
    return id;
}

void EventLog::roll_back() {
    if (!added_) return;
    for (const auto id : *added_) rows_.erase(id);
    added_.reset();
}

const std::vector<Id>* EventLog::linked_rows(const LinkHint& link) const {
    static const std::vector<Id> none;
    if (link_of(EventRow{}, link.field) == nullptr) return nullptr;
    auto field = indexed_.find(link.field);
    if (field == indexed_.end()) {
        field = indexed_.try_emplace(link.field).first;
        for (const auto& [id, row] : rows_) put(field->second, row, link.field);
    }
    const auto* found = field->second.rows(link.type, link.id);
    return found == nullptr ? &none : found;
}

void EventLog::set_next_id(Id id) {
    next_id_ = id;
    for (auto* changes : watchers_) changes->sequences = true;
}

const Shared* EventLog::intern(std::string_view text) {
    auto [found, fresh] = interned_.try_emplace(std::string(text));
    if (fresh) found->second = {std::string(text), json_text(text)};
    return &found->second;
}

EventLink EventLog::link(const Json& value, const EntityStore& store) {
    const auto key = link_key(value);
    if (key.type.empty()) return {};
    EventLink link{intern(key.type), key.id, nullptr};
    if (store.find(key.type, key.id) == nullptr)
        link.own_text = std::make_shared<const std::string>(value.dump());
    return link;
}

std::shared_ptr<const std::string> EventLog::share_meta(std::string text) {
    if (last_meta_ == nullptr || *last_meta_ != text)
        last_meta_ = std::make_shared<const std::string>(std::move(text));
    return last_meta_;
}

Id EventLog::newest_visible() const {
    const auto found =
        std::find_if(rows_.rbegin(), rows_.rend(), [](const auto& at) { return !at.second.hidden; });
    return found == rows_.rend() ? 0 : found->first;
}

bool EventLog::set_hidden(Id id, bool hidden) {
    const auto found = rows_.find(id);
    if (found == rows_.end()) return false;
    if (std::exchange(found->second.hidden, hidden) != hidden) written(id);
    return true;
}

void write_row(std::string& out, const EventRow& row, const EntityStore& store,
               const std::vector<std::string>& return_fields) {
    fmt::format_to(std::back_inserter(out), R"({{"type":"EventLogEntry","id":{})", row.id);
    for (const auto& field : return_fields) {
        if (field == "id" || field == "type") continue;
        const auto before = out.size();
        out += ",\"";
        out += field;
        out += "\":";
        if (!write_value(out, row, field, store)) out.resize(before);  // an unknown field: the key is absent
    }
    out += '}';
}

Json event_value(const EventRow& row, std::string_view field, const EntityStore& store) {
    if (field == "id") return row.id;
    if (field == "entity") return link_value(row.entity, store);
    if (field == "user") return link_value(row.user, store);
    if (field == "project") return link_value(row.project, store);
    std::string text;
    return write_value(text, row, field, store) ? Json::parse(text) : Json();
}

}  // namespace sg::sandbox
