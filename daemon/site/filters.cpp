#include "site/filters.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "site/json_text.hpp"

namespace sg::site {
namespace {

using nlohmann::json;

/// A part of the tree, or what is known of its outcome without asking the site.
struct Node {
    std::optional<bool> known;
    json tree;
};

Result<std::string> logical(std::string_view filter_operator) {
    if (filter_operator == "all" || filter_operator == "and") return "and";
    if (filter_operator == "any" || filter_operator == "or") return "or";
    return fail(Cause::invalid, "the filter_operator has to be all or any");
}

bool one_of(std::string_view relation, std::initializer_list<std::string_view> relations) {
    return std::find(relations.begin(), relations.end(), relation) != relations.end();
}

Result<Node> leaf(const json& condition, const std::string& where) {
    if (condition.size() < 2 || !condition[0].is_string() || !condition[1].is_string())
        return fail(Cause::invalid, "{} has to be [field, relation, value…]", where);
    const auto& path = condition[0].get_ref<const std::string&>();
    const auto& relation = condition[1].get_ref<const std::string&>();

    json values = json::array();
    if (condition.size() == 3 && condition[2].is_array())
        values = condition[2];
    else
        values.insert(values.end(), condition.begin() + 2, condition.end());
    if (values.empty()) {
        const bool list_given = condition.size() == 3;
        if (list_given && relation == "in") return Node{false, {}};
        if (list_given && relation == "not_in") return Node{true, {}};
        return fail(Cause::invalid, "{} (of field '{}') has no value", where, printable(path, 100));
    }
    if (path != "id" && values.front().is_object() && one_of(relation, {"is", "is_not", "in", "not_in"}))
        for (auto& value : values) value = trimmed(value);
    return Node{{}, {{"path", path}, {"relation", relation}, {"values", std::move(values)}}};
}

Result<Node> group(const json& filters, std::string_view filter_operator, const std::string& where,
                   std::size_t depth) {
    const auto op = logical(filter_operator);
    if (!op) return fail(op.error(), "{}", where);
    if (!filters.is_array()) return fail(Cause::invalid, "{} has to be a list of conditions", where);
    if (depth > max_depth / 2) return fail(Cause::invalid, "{} is nested too deeply", where);

    const bool decides = *op == "or";  // one known outcome of this value decides the whole group
    bool dropped = false;
    json conditions = json::array();
    for (std::size_t i = 0; i < filters.size(); ++i) {
        const auto& child = filters[i];
        // Deep down the position alone would be longer than it is helpful.
        const auto place = depth < 8 ? where + "[" + std::to_string(i) + "]" : where + "…";
        auto node = [&]() -> Result<Node> {
            if (child.is_array()) return leaf(child, place);
            if (!child.is_object()) return fail(Cause::invalid, "{} is neither condition nor group", place);
            const auto inner = child.find("filters"), inner_operator = child.find("filter_operator");
            if (inner == child.end() || inner_operator == child.end() || !inner_operator->is_string())
                return fail(Cause::invalid, "{} needs a filter_operator and filters", place);
            return group(*inner, inner_operator->get_ref<const std::string&>(), depth < 8 ? place : where,
                         depth + 1);
        }();
        if (!node) return node;
        if (!node->known)
            conditions.push_back(std::move(node->tree));
        else if (*node->known == decides)
            return Node{decides, {}};
        else
            dropped = true;
    }
    if (dropped && conditions.empty()) return Node{!decides, {}};
    return Node{{}, {{"logical_operator", *op}, {"conditions", std::move(conditions)}}};
}

}  // namespace

Result<WireFilters> to_wire_filters(const json& filters, std::string_view filter_operator) {
    // One condition or one group by itself, as the builder of the SDK makes them, is a list of one.
    const bool condition = filters.is_array() && !filters.empty() && filters.front().is_string();
    if (condition || (filters.is_object() && filters.contains("filter_operator")))
        return to_wire_filters(json::array({filters}), filter_operator);
    if (filters.is_object()) {
        if (!filter_operator.empty())
            return fail(Cause::invalid, "filters in the site's own form take no filter_operator");
        return WireFilters{filters, false};
    }
    auto whole = group(filters, filter_operator.empty() ? "all" : filter_operator, "filters", 0);
    if (!whole) return tl::unexpected(std::move(whole.error()));
    if (whole->known)
        return WireFilters{{{"logical_operator", "and"}, {"conditions", json::array()}}, !*whole->known};
    return WireFilters{std::move(whole->tree), false};
}

json trimmed(const json& value) {
    static constexpr std::array kept{"id",           "type",       "url",     "name",
                                     "content_type", "local_path", "storage", "relative_path"};
    if (!value.is_object() || !value.contains("id") || !value.contains("type")) return value;
    json out = json::object();
    for (const char* key : kept)
        if (const auto member = value.find(key); member != value.end()) out[key] = *member;
    return out;
}

}  // namespace sg::site
