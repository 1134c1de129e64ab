#include "sandbox/values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "sandbox/refusal.hpp"
#include "sandbox/times.hpp"

namespace sg::sandbox {
namespace {

struct Target {
    const FieldDef& field;
    const EntityDef& def;
    std::string_view method;
};

/// The name of a value's kind as the site's messages have it.
std::string_view class_of(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "NilClass";
        case Json::value_t::boolean:
            return value.get<bool>() ? "TrueClass" : "FalseClass";
        case Json::value_t::string:
            return "String";
        case Json::value_t::array:
            return "Array";
        case Json::value_t::object:
            return "Hash";
        case Json::value_t::number_float:
            return "Float";
        default:
            return "Integer";
    }
}

[[noreturn]] void wrong_kind(const Target& at, std::string_view expected, const Json& got) {
    refuse(fault_invalid, "API {}() {}.{} expected {} data type(s) but got {}: {}", at.method, at.def.type,
           at.field.name, expected, class_of(got), got.dump());
}

[[noreturn]] void illegal(const Target& at, std::string_view why) {
    refuse(fault_crud, "API {}() CRUD ERROR #{}: {} failed for [{}.{}]: {}", at.method,
           at.method == "create" ? 6 : 5, at.method == "create" ? "Create" : "Update", at.def.type,
           at.field.name, why);
}

Json trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? Json() : Json(text.substr(first, last - first + 1));
}

Json whole_number(const Target& at, const Json& value) {
    std::int64_t number = 0;
    if (value.is_number_integer()) {
        number = value.get<std::int64_t>();
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size())
            wrong_kind(at, "[Integer, NilClass]", value);
    } else if (value.is_number() && at.field.type == DataType::duration) {
        number = static_cast<std::int64_t>(value.get<double>());
    } else {
        wrong_kind(at, "[Integer, NilClass]", value);
    }
    if (number > std::numeric_limits<std::int32_t>::max() ||
        number < std::numeric_limits<std::int32_t>::min())
        illegal(at, fmt::format(
                        "PG::NumericValueOutOfRange: ERROR:  value \"{}\" is out of range for type integer",
                        number));
    return number;
}

Json choice(const Target& at, const Json& value) {
    if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
    const auto& values = at.field.values;
    const bool chosen = at.field.type == DataType::list || at.field.type == DataType::status_list;
    if (chosen && !values.empty() && std::ranges::find(values, value.get<std::string>()) == values.end()) {
        if (at.field.type == DataType::status_list)
            illegal(at, fmt::format("'{}' is not a valid status. Valid statuses: {}",
                                    value.get<std::string>(), Json(values).dump()));
        illegal(at, fmt::format("{} is not one of {}", value.dump(), Json(values).dump()));
    }
    return value;
}

Json link(const Target& at, const Json& value, const EntityStore& store) {
    if (!value.is_object()) wrong_kind(at, "[Hash, NilClass]", value);
    const auto key = link_key(value);
    if (key.type.empty())
        refuse(fault_invalid, "API {}() invalid/missing entity hash string 'type': {}", at.method,
               value.dump());
    const auto& targets = at.field.targets;
    if (!targets.empty() && std::ranges::find(targets, key.type) == targets.end())
        illegal(at, fmt::format("{} expected, got {}", fmt::join(targets, " or "), key.type));
    const auto* target = store.find(key.type, key.id);
    if (target == nullptr || target->retired) illegal(at, "Value is not legal.");
    return link_to(key.type, key.id);
}

Json links(const Target& at, const Json& value, const EntityStore& store) {
    if (!value.is_array()) wrong_kind(at, "[Array]", value);
    auto out = Json::array();
    for (const auto& element : value) {
        auto one = link(at, element, store);
        if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
    }
    return out;
}

Json flag(const Target& at, const Json& value) {
    if (value.is_boolean()) return value;
    if (value == "true" || value == "false") return value == "true";
    wrong_kind(at, "[TrueClass, FalseClass]", value);
}

/// Rounded to six digits, or two for money, and within the site's range.
Json real_number(const Target& at, const Json& value) {
    double number = 0;
    if (value.is_number()) {
        number = value.get<double>();
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
            wrong_kind(at, "[Float, NilClass]", value);
    } else {
        wrong_kind(at, "[Float, NilClass]", value);
    }
    const bool money = at.field.type == DataType::currency;
    const double scale = money ? 100 : 1e6, most = money ? 9999999999999.99 : 999999999.999999;
    if (std::abs(number) > most)
        illegal(at,
                fmt::format("PG::NumericValueOutOfRange: ERROR:  numeric field overflow: {}", value.dump()));
    return std::round(number * scale) / scale;
}

bool is_color(std::string_view text) {
    const auto word = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == ' '; };
    if (!text.empty() && std::ranges::all_of(text, word)) return true;  // pipeline_step, or an old name
    int parts = 0;
    while (true) {
        unsigned number = 256;
        const auto comma = std::min(text.find(','), text.size());
        const auto [end, error] = std::from_chars(text.data(), text.data() + comma, number);
        if (error != std::errc() || end != text.data() + comma || number > 255) return false;
        ++parts;
        if (comma == text.size()) return parts == 3;
        text.remove_prefix(comma + 1);
    }
}

Json color_text(const Target& at, const Json& value) {
    if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
    if (!is_color(value.get_ref<const std::string&>()))
        illegal(at, fmt::format("{} is not a color.", value.dump()));
    return value;
}

/// `FF-ff`: feet and frames.
Json footage_text(const Target& at, const Json& value) {
    if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
    const auto& text = value.get_ref<const std::string&>();
    const auto dash = text.find('-');
    const auto digits = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (dash == std::string::npos || !digits(std::string_view(text).substr(0, dash)) ||
        !digits(std::string_view(text).substr(dash + 1)))
        illegal(at, fmt::format("{} is not a footage of the form FF-ff.", value.dump()));
    return value;
}

Json tags(const Target& at, const Json& value) {
    const auto is_text = [](const Json& tag) { return tag.is_string(); };
    if (!value.is_array() || !std::ranges::all_of(value, is_text)) wrong_kind(at, "[Array]", value);
    auto out = Json::array();
    for (const auto& tag : value)
        if (std::find(out.begin(), out.end(), tag) == out.end()) out.push_back(tag);
    return out;
}

Json time(const Target& at, const Json& value) {
    const bool day = at.field.type == DataType::date;
    if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
    const auto& text = value.get_ref<const std::string&>();
    if (day && text.empty()) return nullptr;
    if (day && read_date(text)) return value;
    if (!day)
        if (const auto read = read_date_time(text)) return iso_text(*read);
    refuse(fault_invalid, "API {}() {}.{} Invalid date{} format: {}. Correct format is{}", at.method,
           at.def.type, at.field.name, day ? "" : " time", text,
           day ? ": 2011-01-21" : " 2011-01-21T13:26:09Z (UTC)");
}

}  // namespace

Json accepted(const FieldDef& field, const EntityDef& def, const Json& value, std::string_view method,
              const EntityStore& store) {
    using enum DataType;
    const Target at{field, def, method};
    if (value.is_null() && field.type != checkbox && !holds_array(field.type)) return value;
    switch (field.type) {
        case text:
            if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
            return trimmed(value.get<std::string>());
        case number:
        case percent:
        case duration:
        case timecode:
            return whole_number(at, value);
        case floating:
        case currency:
            return real_number(at, value);
        case color:
            return color_text(at, value);
        case footage:
            return footage_text(at, value);
        case tag_list:
            return tags(at, value);
        case password:
            if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
            return value;
        case checkbox:
            return flag(at, value);
        case date:
        case date_time:
            return time(at, value);
        case entity:
            return link(at, value, store);
        case multi_entity:
        case addressing:
            return links(at, value, store);
        case url:
            return accepted_url(field, def, value, method, store);
        case serializable:
        case jsonb:
            return value;
        case image:
            wrong_kind(at, "[NilClass]", value);
        default:
            return choice(at, value);
    }
}

}  // namespace sg::sandbox
