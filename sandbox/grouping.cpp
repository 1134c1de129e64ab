#include "sandbox/grouping.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/relations.hpp"

namespace sg::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;

const std::map<std::string, std::int64_t>& number_steps() {
    static const std::map<std::string, std::int64_t> steps{{"tens", 10},
                                                           {"hundreds", 100},
                                                           {"thousands", 1000},
                                                           {"tensofthousands", 10'000},
                                                           {"hundredsofthousands", 100'000},
                                                           {"millions", 1'000'000}};
    return steps;
}

/// The first day of the day, week, month, quarter or year that `day` is in.
std::chrono::sys_days begin_of(std::chrono::sys_days day, const std::string& unit, bool sunday) {
    using namespace std::chrono;
    if (unit == "day") return day;
    if (unit == "week") return day - (weekday(day) - (sunday ? Sunday : Monday));
    const year_month_day date(day);
    auto month = static_cast<unsigned>(date.month());
    if (unit == "quarter") month = (month - 1) / 3 * 3 + 1;
    if (unit == "year") month = 1;
    return sys_days(date.year() / std::chrono::month(month) / 1);
}

/// An event row may link to what the site never had: then there is nothing but the link.
Ordered group_link(const Json& value, const EntityStore& store) {
    auto link = full_link(link_key(value), store);
    if (link.is_null()) return value;
    link.erase("status");
    return link;
}

/// The first letter, all its bytes.
std::string first_letter(const std::string& text) {
    std::size_t size = 1;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
    return text.substr(0, size);
}

GroupOf exact(const FieldDef& field, const Json& value, const Scope& scope) {
    if (field.type == DataType::entity) {
        auto link = group_link(value, scope.store);
        auto name = link.value("name", std::string());
        return {std::move(link), name, lower(name)};
    }
    if (holds_links(field.type)) {
        auto links = Ordered::array();
        std::string name;
        for (const auto& element : value) {
            auto link = group_link(element, scope.store);
            name += (name.empty() ? "" : ", ") + link.value("name", std::string());
            links.push_back(std::move(link));
        }
        return {std::move(links), name, lower(name)};
    }
    return {value, value.is_string() ? value.get<std::string>() : value.dump(), value};
}

}  // namespace

void check_grouping(const FieldDef& field, const std::string& type, const std::string& where,
                    const Scope& scope) {
    using enum DataType;
    const auto fits = [&](bool does) {
        if (!does)
            refuse(fault_invalid, "API {}() {}'s '{}' data type doesn't support the grouping '{}'",
                   scope.method, where, name_of(field.type), type);
    };
    if (type == "exact") return fits(relations_of(field.type).size() > 1 || field.type == footage);
    if (number_steps().contains(type)) return fits(holds_number(field.type));
    if (type == "day" || type == "week" || type == "month" || type == "quarter" || type == "year")
        return fits(field.type == date || field.type == date_time);
    if (type == "entitytype") return fits(field.type == entity || field.type == entity_type);
    if (type == "firstletter") return fits(field.type == text || field.type == entity);
    if (type == "clustered_date" || type == "oneday" || type == "fivedays")
        refuse(fault_invalid, "API {}() the sandbox doesn't know the grouping '{}'", scope.method, type);
    refuse(fault_invalid, "API {}() invalid grouping type '{}'", scope.method, type);
}

GroupOf group_of(const FieldDef& field, const std::string& type, const Json& value, const Scope& scope) {
    if (value.is_null() || (value.is_array() && value.empty()) || value == "") return {nullptr, "", nullptr};
    if (type == "exact") return exact(field, value, scope);
    if (const auto step = number_steps().find(type); step != number_steps().end()) {
        const auto size = step->second;
        const auto low =
            static_cast<std::int64_t>(std::floor(value.get<double>() / static_cast<double>(size))) * size;
        return {low, fmt::format("{}-{}", low, low + size - 1), low};
    }
    if (type == "entitytype") {
        const auto name = value.is_string() ? value.get<std::string>() : link_key(value).type;
        return {name, name, name};
    }
    if (type == "firstletter") {
        const auto letter =
            first_letter(value.is_string() ? value.get<std::string>()
                                           : group_link(value, scope.store).value("name", std::string()));
        const auto upper =
            letter >= "a" && letter <= "z" ? std::string(1, static_cast<char>(letter[0] - 32)) : letter;
        return {upper, upper, upper};
    }
    const auto time = read_date_time(value.get<std::string>());
    const auto first = begin_of(std::chrono::floor<std::chrono::days>(time.value_or(Seconds())), type,
                                scope.time.weeks_begin_on_sunday);
    const auto text = iso_text(Seconds(first)).substr(0, 10);
    return {text, text, text};
}

}  // namespace sg::sandbox
