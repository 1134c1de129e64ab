// The method `summarize`.

#include <algorithm>
#include <set>

#include "sandbox/grouping.hpp"
#include "sandbox/params.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;
using Row = std::vector<Json>;  ///< the values of the summaries' fields, then of the groupings'

struct Summary {
    std::string field, type;
    Path path;
};
struct Grouping {
    std::string type;
    Path path;
    bool descending = false;
};
struct Plan {
    std::vector<Summary> summaries;
    std::vector<Grouping> groupings;
};

Path path_in(const Json& item, const EntityDef& def, const Call& call) {
    const auto name = text_in(item, call, "field");
    auto path = parse_path(call.store.schema(), def, name);
    if (!path) refuse(fault_invalid, "API summarize() {}.{} doesn't exist.", def.type, name);
    return std::move(*path);
}

void check_summary(const Summary& summary, const EntityDef& def) {
    static const std::set<std::string> numeric{"sum", "maximum", "minimum", "average"},
        dates{"earliest", "latest"}, flags{"checked", "unchecked"}, any{"record_count", "count"},
        unclear{"percentage", "status_percentage", "status_percentage_as_float"};
    const auto type = summary.path.leaf().type;
    const auto& word = summary.type;
    if (unclear.contains(word))
        refuse(fault_invalid, "API summarize() the sandbox doesn't know the summary type '{}'", word);
    const bool date = type == DataType::date || type == DataType::date_time;
    const bool fits = any.contains(word) || (numeric.contains(word) && holds_number(type)) ||
                      (dates.contains(word) && date) ||
                      (flags.contains(word) && type == DataType::checkbox) ||
                      (word == "status_list" && type == DataType::status_list);
    if (!fits)
        refuse(fault_invalid, "API summarize() {}.{}'s '{}' data type doesn't support the summary type '{}'",
               def.type, summary.field, name_of(type), word);
}

Plan plan_of(const Call& call, const EntityDef& def) {
    Plan plan;
    const auto &summaries = member(call.params, "summaries"), &groupings = member(call.params, "grouping");
    if (!summaries.is_array()) refuse(fault_invalid, "API summarize() invalid/missing array 'summaries'");
    for (const auto& item : summaries) {
        plan.summaries.push_back(
            {text_in(item, call, "field"), text_in(item, call, "type"), path_in(item, def, call)});
        check_summary(plan.summaries.back(), def);
    }
    if (groupings.is_null()) return plan;
    if (!groupings.is_array()) refuse(fault_invalid, "API summarize() invalid array 'grouping'");
    for (const auto& item : groupings) {
        Grouping grouping{text_in(item, call, "type"), path_in(item, def, call),
                          text_member(item, "direction") == "desc"};
        check_grouping(grouping.path.leaf(), grouping.type, def.type + "." + text_member(item, "field"),
                       call.scope());
        plan.groupings.push_back(std::move(grouping));
    }
    return plan;
}

bool is_empty(const Json& value) {
    return value.is_null() || value == "" || (value.is_array() && value.empty());
}

Ordered total(const std::vector<Json>& values) {
    const bool whole = std::ranges::all_of(values, [](const Json& v) { return v.is_number_integer(); });
    if (whole) {
        std::int64_t sum = 0;
        for (const auto& value : values) sum += value.get<std::int64_t>();
        return sum;
    }
    double sum = 0;
    for (const auto& value : values) sum += value.get<double>();
    return sum;
}

Ordered summed_up(const Summary& summary, std::size_t column, const std::vector<const Row*>& rows) {
    std::vector<Json> values;
    for (const auto* row : rows)
        if (!is_empty((*row)[column])) values.push_back((*row)[column]);
    const auto& type = summary.type;
    if (type == "record_count") return rows.size();
    if (type == "count") return values.size();
    if (type == "checked") return std::ranges::count(values, Json(true));
    if (type == "unchecked")
        return static_cast<std::ptrdiff_t>(rows.size()) - std::ranges::count(values, Json(true));
    if (type == "sum") return total(values);
    if (values.empty()) return nullptr;
    if (type == "average") return total(values).get<double>() / static_cast<double>(values.size());
    if (type == "maximum" || type == "latest") return *std::ranges::max_element(values);
    if (type == "minimum" || type == "earliest") return *std::ranges::min_element(values);
    // A status list rolls up: what all rows agree on, or "in progress".
    const bool alike = std::ranges::all_of(values, [&](const Json& v) { return v == values.front(); });
    return alike ? values.front() : Json("ip");
}

Ordered summaries_of(const Plan& plan, const std::vector<const Row*>& rows) {
    auto out = Ordered::object();
    for (std::size_t i = 0; i < plan.summaries.size(); ++i)
        out[plan.summaries[i].field] = summed_up(plan.summaries[i], i, rows);
    return out;
}

Ordered groups_of(const Plan& plan, std::size_t level, const std::vector<const Row*>& rows,
                  const Scope& scope) {
    const auto& grouping = plan.groupings[level];
    struct Group {
        GroupOf of;
        std::vector<const Row*> rows;
    };
    std::vector<Group> groups;
    std::map<std::string, std::size_t> known;
    for (const auto* row : rows) {
        auto of = group_of(grouping.path.leaf(), grouping.type, (*row)[plan.summaries.size() + level], scope);
        const auto [at, fresh] = known.try_emplace(of.value.dump(), groups.size());
        if (fresh) groups.push_back({std::move(of), {}});
        groups[at->second].rows.push_back(row);
    }
    std::ranges::stable_sort(groups, [&](const Group& a, const Group& b) {
        const int order = compare(a.of.order, b.of.order);
        return grouping.descending ? order > 0 : order < 0;
    });
    auto out = Ordered::array();
    for (const auto& group : groups) {
        Ordered entry{{"group_name", group.of.name}, {"group_value", group.of.value}};
        if (level + 1 < plan.groupings.size())
            entry["groups"] = groups_of(plan, level + 1, group.rows, scope);
        entry["summaries"] = summaries_of(plan, group.rows);
        out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace

nlohmann::ordered_json summarize(const Call& call) {
    const auto& def = type_in(call.params, call);
    const auto plan = plan_of(call, def);
    const auto scope = call.scope();
    const Filter filter(member(call.params, "filters"), def, scope);
    std::vector<Row> rows;
    const auto take = [&](const RowView& view) {
        Row row;
        const auto add = [&](const Path& path) {
            auto values = values_at(path, view, call.store);
            row.push_back(values.empty() ? Json() : std::move(values.front()));
        };
        for (const auto& summary : plan.summaries) add(summary.path);
        for (const auto& grouping : plan.groupings) add(grouping.path);
        rows.push_back(std::move(row));
    };
    if (def.type != "EventLogEntry" || call.caller.may.reads_events)
        each_match(def, filter, member(call.params, "include_archived_projects") != false, scope, take);
    std::vector<const Row*> all;
    for (const auto& row : rows) all.push_back(&row);
    return {{"groups", plan.groupings.empty() ? Ordered::array() : groups_of(plan, 0, all, scope)},
            {"summaries", summaries_of(plan, all)}};
}

}  // namespace sg::sandbox
