#include "sandbox/relations.hpp"

#include "sandbox/condition.hpp"

namespace sg::sandbox {
namespace {

using Names = std::vector<std::string>;

const Names text_relations{"is",          "is_not",    "contains", "not_contains",
                           "starts_with", "ends_with", "in",       "not_in"};
const Names number_relations{"is", "is_not", "greater_than", "less_than", "between", "in", "not_in"};
const Names currency_relations{"is",      "is_not",      "greater_than", "less_than",
                               "between", "not_between", "in",           "not_in"};
const Names time_relations{
    "is",      "is_not",      "greater_than",    "less_than",        "in_last",           "not_in_last",
    "in_next", "not_in_next", "in_calendar_day", "in_calendar_week", "in_calendar_month", "in_calendar_year",
    "between", "in",          "not_in"};
const Names choice_relations{"is", "is_not", "in", "not_in"};
const Names link_relations{"is", "is_not",        "type_is",           "type_is_not", "name_is",
                           "in", "name_contains", "name_not_contains", "not_in"};
const Names addressing_relations{"is",
                                 "is_not",
                                 "contains",
                                 "not_contains",
                                 "in",
                                 "type_is",
                                 "type_is_not",
                                 "name_contains",
                                 "name_not_contains",
                                 "name_starts_with",
                                 "name_ends_with"};
const Names tag_relations{"is", "is_not", "name_contains", "name_not_contains"};
const Names json_relations{"is", "is_not", "contains", "not_contains"};
const Names flag_relations{"is", "is_not"};
const Names none;

void check_arity(const Condition& c) {
    std::size_t wanted = 1;
    if (c.is("in") || c.is("not_in")) {
        if (c.values.empty())
            refuse(fault_invalid, "'{}' 'relation' expects at least a 1-element array: {}", c.relation,
                   c.values.dump());
        return;
    }
    if (c.relation.ends_with("between") || c.relation.ends_with("in_last") || c.relation.ends_with("in_next"))
        wanted = 2;
    if (c.values.size() != wanted)
        refuse(fault_invalid, "'{}' 'relation' expects a {}-element array: {}", c.relation, wanted,
               c.values.dump());
}

ValueTest number_test(const Condition& c) {
    const bool whole = c.field.type != DataType::floating && c.field.type != DataType::currency;
    for (const auto& value : c.values) {
        if (value.is_null() || value.is_number_integer() || (!whole && value.is_number())) continue;
        wrong_kind(c, whole ? "[Integer, NilClass]" : "[Float, NilClass]", value);
    }
    if (whole)
        return ordered_test<Id>(
            c, [](const Json& v) { return v.is_number() ? std::optional(v.get<Id>()) : std::nullopt; });
    return ordered_test<double>(
        c, [](const Json& v) { return v.is_number() ? std::optional(v.get<double>()) : std::nullopt; });
}

ValueTest choice_test(const Condition& c) {
    for (const auto& value : c.values)
        if (!value.is_string() && !value.is_null()) wrong_kind(c, "[String, NilClass]", value);
    return ordered_test<std::string>(
        c, [](const Json& v) { return v.is_string() ? std::optional(v.get<std::string>()) : std::nullopt; });
}

ValueTest flag_test(const Condition& c) {
    const bool image = c.field.type == DataType::image;
    if (image ? !c.value().is_null() : !c.value().is_boolean())
        wrong_kind(c, image ? "[NilClass]" : "[TrueClass, FalseClass]", c.value());
    return [wanted = c.value(), negative = c.is("is_not")](const Json& value) {
        return (value == wanted) != negative;
    };
}

ValueTest make_test(const Condition& c) {
    using enum DataType;
    switch (c.field.type) {
        case text:
            return text_test(c);
        case number:
        case floating:
        case percent:
        case duration:
        case timecode:
        case currency:
            return number_test(c);
        case date:
        case date_time:
            return time_test(c);
        case checkbox:
        case image:
            return flag_test(c);
        case entity:
        case multi_entity:
        case addressing:
            return link_test(c);
        case tag_list:
            return tag_test(c);
        case jsonb:
            return [](const Json&) { return true; };  // the site takes the condition and ignores it
        default:
            return choice_test(c);
    }
}

}  // namespace

const std::vector<std::string>& relations_of(DataType type) {
    using enum DataType;
    switch (type) {
        case text:
            return text_relations;
        case number:
        case floating:
        case percent:
        case duration:
        case timecode:
            return number_relations;
        case currency:
            return currency_relations;
        case date:
        case date_time:
            return time_relations;
        case checkbox:
        case image:
            return flag_relations;
        case list:
        case status_list:
        case entity_type:
        case uuid:
        case color:
            return choice_relations;
        case entity:
        case multi_entity:
            return link_relations;
        case addressing:
            return addressing_relations;
        case tag_list:
            return tag_relations;
        case jsonb:
            return json_relations;
        case footage:
        case system_task_type:
        case url:
        case password:
        case serializable:
        case summary:
        case calculated:
        case query:
        case pivot_column:
            return none;
    }
    return none;
}

Relation relation_for(const FieldDef& field, const std::string& where, const std::string& relation,
                      const Json& values, const EntityStore& store, const SiteTime& time) {
    const auto& known = relations_of(field.type);
    if (field.type == DataType::footage || field.type == DataType::system_task_type)
        refuse(fault_invalid, "{}: the sandbox doesn't know the relations of the '{}' data type.", where,
               name_of(field.type));
    if (known.empty())
        refuse(fault_invalid, "{}'s '{}' data type cannot be used in a filter.", where, name_of(field.type));
    if (std::ranges::find(known, relation) == known.end())
        refuse(fault_invalid, "{}'s '{}' data type doesn't support '{}' 'relation': {}\nValid relations: {}",
               where, name_of(field.type), relation, values.dump(), Json(known).dump());
    const Condition condition{field, where, relation, values, store, time};
    check_arity(condition);
    return {make_test(condition), is_negative(relation)};
}

}  // namespace sg::sandbox
