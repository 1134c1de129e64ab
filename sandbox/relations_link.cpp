// Relations of links.

#include "sandbox/condition.hpp"

namespace sg::sandbox {
namespace {

/// The elements of a link field: none for null, one for a single link.
std::vector<Json> elements(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_array()) return value.get<std::vector<Json>>();
    return {value};
}

ValueTest target_test(const Condition& c) {
    std::vector<LinkKey> wanted;
    for (const auto& value : c.values) {
        auto key = link_key(value);
        if (key.type.empty() && !value.is_null())
            refuse(fault_invalid, "{} invalid/missing entity hash string 'type': {}", c.where, value.dump());
        wanted.push_back(std::move(key));
    }
    const bool negative = is_negative(c.relation);
    return [wanted, negative](const Json& value) {
        const auto all = elements(value);
        const bool found = std::ranges::any_of(wanted, [&](const LinkKey& want) {
            if (want.type.empty()) return all.empty();
            return std::ranges::any_of(all, [&](const Json& link) { return link_key(link) == want; });
        });
        return found != negative;
    };
}

ValueTest type_test(const Condition& c) {
    const auto& value = c.value();
    if (!value.is_string() && !value.is_null()) wrong_kind(c, "[String, NilClass]", value);
    const bool negative = is_negative(c.relation);
    return [wanted = value, negative](const Json& v) {
        const auto all = elements(v);
        const bool found = wanted.is_null() ? all.empty() : std::ranges::any_of(all, [&](const Json& link) {
            return link_key(link).type == wanted.get_ref<const std::string&>();
        });
        return found != negative;
    };
}

ValueTest name_test(const Condition& c) {
    if (!c.value().is_string()) wrong_kind(c, "[String]", c.value());
    const auto wanted = lower(c.value().get<std::string>());
    const auto fits = [wanted, relation = c.relation, &store = c.store](const Json& link) {
        const auto shown = store.shown(link);
        // A link of an event row may carry the name of a row that the site never had.
        const auto name =
            lower(shown.is_object() ? shown["name"].get<std::string>() : link.value("name", std::string()));
        if (relation == "name_is") return name == wanted;
        if (relation == "name_starts_with") return name.starts_with(wanted);
        if (relation == "name_ends_with") return name.ends_with(wanted);
        return name.find(wanted) != std::string::npos;
    };
    const bool negative = is_negative(c.relation);
    return [fits, negative](const Json& v) { return std::ranges::any_of(elements(v), fits) != negative; };
}

}  // namespace

ValueTest link_test(const Condition& c) {
    if (c.relation.starts_with("type_")) return type_test(c);
    return c.relation.starts_with("name_") ? name_test(c) : target_test(c);
}

}  // namespace sg::sandbox
