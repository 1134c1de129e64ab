#include "sandbox/values.hpp"

#include <algorithm>
#include <charconv>
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

[[noreturn]] void wrong_kind(const Target& at, std::string_view expected, const Json& got) {
    refuse(fault_invalid, "API {}() {}.{} expected {} data type(s) but got {}: {}", at.method, at.def.type,
           at.field.name, expected, got.type_name(), got.dump());
}

[[noreturn]] void illegal(const Target& at, std::string_view why) {
    refuse(fault_crud, "API {}() CRUD ERROR #5: Update failed for [{}.{}]: {}", at.method, at.def.type,
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
    if (!values.empty() && std::ranges::find(values, value.get<std::string>()) == values.end()) {
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
    if (value.is_null() && field.type != checkbox && field.type != multi_entity) return value;
    switch (field.type) {
        case text:
            if (!value.is_string()) wrong_kind(at, "[String, NilClass]", value);
            return trimmed(value.get<std::string>());
        case number:
        case percent:
        case duration:
            return whole_number(at, value);
        case floating:
            if (!value.is_number()) wrong_kind(at, "[Float, NilClass]", value);
            return value;
        case checkbox:
            return flag(at, value);
        case date:
        case date_time:
            return time(at, value);
        case entity:
            return link(at, value, store);
        case multi_entity:
            return links(at, value, store);
        case url:
            if (!value.is_object()) wrong_kind(at, "[Hash, NilClass]", value);
            return value;
        case serializable:
            return value;
        case image:
            wrong_kind(at, "[NilClass]", value);
        default:
            return choice(at, value);
    }
}

}  // namespace sg::sandbox
