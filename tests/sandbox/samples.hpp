#pragma once
// A site with one row type that has a field of each data type, and what each relation makes of its rows.

#include <map>
#include <string>
#include <vector>

#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace sg::test {

using Ids = std::vector<std::int64_t>;

/// A type with a field of each data type.
inline constexpr const char* sample_schema = R"(
statuses: {ip: In Progress}
entities:
  Project: {display: name, fields: {name: text, archived: checkbox}}
  HumanUser: {display: name, fields: {name: text, login: text, sg_status_list: {type: status_list, values: [act]}}}
  ApiUser: {display: firstname, fields: {firstname: text, generate_event_log_entries: checkbox}}
  DisplayColumn: {display: name, fields: {name: text}}
  EventLogEntry: {display: description, fields: {description: text}}
  Sample:
    display: name
    fields:
      name: text
      text: text
      number: number
      float: float
      percent: percent
      duration: duration
      timecode: timecode
      currency: currency
      checkbox: checkbox
      date: date
      date_time: date_time
      list: {type: list, values: [a, A, b]}
      status_list: {type: status_list, values: [wtg, ip, fin]}
      entity: {type: entity, to: [HumanUser, Project]}
      multi_entity: {type: multi_entity, to: [HumanUser, Project]}
      addressing: {type: addressing, to: [HumanUser]}
      tag_list: tag_list
      entity_type: entity_type
      uuid: uuid
      color: color
      footage: footage
      image: image
      url: url
      password: password
      serializable: serializable
      jsonb: jsonb
      summary: summary
      calculated: calculated
      query: query
      pivot_column: pivot_column
      system_task_type: system_task_type
)";

inline Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }
inline Json user(std::int64_t id) { return link("HumanUser", id); }

/// Sample 1 to 5: low, middle, high, null, and 5 which is 1 in another case or form.
///
/// The clock stands at 22:30 UTC on 31 March 2026, two days after summer began in the site's zone, where it
/// is 1 April already.
struct Samples {
    Samples() {
        site.shift_clock(*sandbox::read_date_time("2026-03-31T22:30:00Z") - site.now());
        site.add_person("Ada Brandt", "ada");
        site.add_person("Bao Nguyen", "bao");
        site.add("Project", {{"name", "Adastra"}});
        const auto same = [](const Json& v) {
            return std::vector<std::pair<std::string, Json>>{{"number", v},   {"float", v},
                                                             {"percent", v},  {"duration", v},
                                                             {"timecode", v}, {"currency", v}};
        };
        const auto add = [&](const Json& numbers, sandbox::Fields fields) {
            for (auto& [name, value] : same(numbers)) fields.emplace_back(name, value);
            site.add("Sample", fields);
        };
        add(10, {{"text", "Alpha one"},
                 {"checkbox", true},
                 {"date", "2026-02-28"},
                 {"date_time", "2026-02-28T22:30:00Z"},
                 {"list", "a"},
                 {"status_list", "wtg"},
                 {"entity", user(1)},
                 {"multi_entity", {user(1), user(2)}},
                 {"addressing", Json::array({user(1)})},
                 {"tag_list", {"Night", "Rain"}},
                 {"entity_type", "Shot"},
                 {"uuid", "u-1"},
                 {"color", "1,2,3"}});
        add(20, {{"text", "beta two"},
                 {"checkbox", false},
                 {"date", "2026-03-31"},
                 {"date_time", "2026-03-31T22:30:00Z"},
                 {"list", "b"},
                 {"status_list", "ip"},
                 {"entity", user(2)},
                 {"multi_entity", Json::array({user(2)})},
                 {"addressing", Json::array({user(2)})},
                 {"tag_list", Json::array({"rain"})},
                 {"entity_type", "Asset"},
                 {"uuid", "u-2"},
                 {"color", "pipeline_step"}});
        add(30, {{"text", "gamma"},
                 {"checkbox", true},
                 {"date", "2026-04-01"},
                 {"date_time", "2026-04-01T00:00:00Z"},
                 {"list", "A"},
                 {"status_list", "fin"},
                 {"entity", link("Project", 1)},
                 {"multi_entity", Json::array({link("Project", 1)})},
                 {"tag_list", Json::array({"Day"})},
                 {"entity_type", "Task"},
                 {"uuid", "u-3"},
                 {"color", "9,9,9"}});
        add(nullptr, {});
        add(10, {{"text", "ALPHA ONE"}, {"date", "2026-12-31"}, {"date_time", "2027-01-01T00:00:00Z"}});
    }
    Json ask(const std::string& field, const std::string& relation, const Json& values) {
        return client.rows("Sample", {Json{{"path", field}, {"relation", relation}, {"values", values}}},
                           {"id"});
    }

    ManualClock clock;
    sandbox::Site site{{.clock = &clock, .schema = sample_schema, .time_zone = "CET-1CEST,M3.5.0,M10.5.0/3"}};
    RawClient client{site.url()};
};

struct Case {
    std::string relation;
    Json values;
    Ids expected;
};
using Cases = std::vector<Case>;

inline Json list(std::initializer_list<Json> values) { return Json::array_t(values); }

inline const Cases numbers{{"is", list({10}), {1, 5}},
                           {"is", list({nullptr}), {4}},
                           {"is_not", list({10}), {2, 3, 4}},
                           {"is_not", list({nullptr}), {1, 2, 3, 5}},
                           {"greater_than", list({10}), {2, 3}},
                           {"greater_than", list({nullptr}), {}},
                           {"less_than", list({20}), {1, 5}},
                           {"less_than", list({nullptr}), {}},
                           {"between", list({20, 10}), {1, 2, 5}},
                           {"between", list({nullptr, 20}), {}},
                           {"in", list({10, 30, 99}), {1, 3, 5}},
                           {"in", list({nullptr}), {4}},
                           {"not_in", list({10, 30}), {2, 4}}};

inline Cases with(Cases cases, const Cases& more) {
    cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

inline const Cases links{{"is", list({user(2)}), {2}},
                         {"is", list({nullptr}), {4, 5}},
                         {"is_not", list({user(2)}), {1, 3, 4, 5}},
                         {"is_not", list({nullptr}), {1, 2, 3}},
                         {"in", list({user(1), link("Project", 1)}), {1, 3}},
                         {"not_in", list({user(1), link("Project", 1)}), {2, 4, 5}},
                         {"type_is", list({"Project"}), {3}},
                         {"type_is", list({nullptr}), {4, 5}},
                         {"type_is_not", list({"Project"}), {1, 2, 4, 5}},
                         {"name_is", list({"ada brandt"}), {1}},
                         {"name_contains", list({"ADA"}), {1, 3}},
                         {"name_not_contains", list({"ada"}), {2, 4, 5}}};

inline const Cases choices{{"is", list({nullptr}), {4, 5}}, {"is_not", list({nullptr}), {1, 2, 3}}};

inline Cases choice(const Json& one, const Json& two) {
    return with(choices, {{"is", list({one}), {1}},
                          {"is_not", list({one}), {2, 3, 4, 5}},
                          {"in", list({one, two, "no such"}), {1, 2}},
                          {"not_in", list({one, two}), {3, 4, 5}},
                          {"is", list({"no such"}), {}}});
}

/// The pairs of the protocol's table; a pair that is not here must be refused.
inline const std::map<std::string, Cases>& table() {
    static const std::map<std::string, Cases> cases{
        {"text",
         {{"is", list({"alpha ONE"}), {1, 5}},
          {"is", list({""}), {4}},
          {"is", list({nullptr}), {4}},
          {"is_not", list({"alpha one"}), {2, 3, 4}},
          {"is_not", list({""}), {1, 2, 3, 5}},
          {"contains", list({"A O"}), {1, 5}},
          {"contains", list({nullptr}), {4}},
          {"not_contains", list({"two"}), {1, 3, 4, 5}},
          {"not_contains", list({nullptr}), {1, 2, 3, 5}},
          {"starts_with", list({"AL"}), {1, 5}},
          {"ends_with", list({"TWO"}), {2}},
          {"in", list({"GAMMA", "beta two"}), {2, 3}},
          {"not_in", list({"GAMMA", "beta two"}), {1, 4, 5}}}},
        {"number", numbers},
        {"percent", numbers},
        {"duration", numbers},
        {"timecode", numbers},
        {"float", with(numbers, {{"greater_than", list({10.5}), {2, 3}}})},
        {"currency", with(numbers, {{"not_between", list({10, 20}), {3, 4}}})},
        {"checkbox",
         {{"is", list({true}), {1, 3}},
          {"is", list({false}), {2, 4, 5}},
          {"is_not", list({true}), {2, 4, 5}}}},
        {"date",
         {{"is", list({"2026-03-31"}), {2}},
          {"is", list({nullptr}), {4}},
          {"is", list({""}), {4}},
          {"is_not", list({"2026-03-31"}), {1, 3, 4, 5}},
          {"greater_than", list({"2026-03-31"}), {3, 5}},
          {"less_than", list({"2026-03-31"}), {1}},
          {"between", list({"2026-04-01", "2026-02-28"}), {1, 2, 3}},
          {"in", list({"2026-02-28", "2026-12-31"}), {1, 5}},
          {"not_in", list({"2026-02-28", "2026-12-31"}), {2, 3, 4}},
          {"in_last", list({1, "DAY"}), {2, 3}},
          {"in_last", list({5, "HOUR"}), {3}},
          {"in_last", list({1, "MONTH"}), {2, 3}},
          {"in_last", list({5, "WEEK"}), {1, 2, 3}},
          {"not_in_last", list({1, "DAY"}), {1, 4, 5}},
          {"in_next", list({1, "YEAR"}), {3, 5}},
          {"not_in_next", list({1, "YEAR"}), {1, 2, 4}},
          {"in_calendar_day", list({0}), {3}},
          {"in_calendar_day", list({-1}), {2}},
          {"in_calendar_week", list({0}), {2, 3}},
          {"in_calendar_month", list({0}), {3}},
          {"in_calendar_month", list({-1}), {2}},
          {"in_calendar_month", list({-2}), {1}},
          {"in_calendar_year", list({0}), {1, 2, 3, 5}},
          {"in_calendar_year", list({1}), {}}}},
        {"date_time",
         {{"is", list({"2026-04-01T00:30:00+02:00"}), {2}},
          {"is", list({nullptr}), {4}},
          {"is_not", list({"2026-03-31T22:30:00Z"}), {1, 3, 4, 5}},
          {"greater_than", list({"2026-03-31T22:30:00Z"}), {3, 5}},
          {"less_than", list({"2026-03-31T22:30:00.9Z"}), {1}},
          {"between", list({"2026-03-31", "2026-04-01"}), {2, 3}},
          {"in", list({"2026-02-28T22:30:00Z"}), {1}},
          {"not_in", list({"2026-02-28T22:30:00Z"}), {2, 3, 4, 5}},
          {"in_last", list({1, "MONTH"}), {1, 2}},
          {"in_last", list({744, "HOUR"}), {1, 2}},
          {"in_last", list({30, "DAY"}), {2}},
          {"not_in_last", list({1, "HOUR"}), {1, 3, 4, 5}},
          {"in_next", list({2, "HOUR"}), {2, 3}},
          {"not_in_next", list({2, "HOUR"}), {1, 4, 5}},
          {"in_calendar_day", list({0}), {2}},
          {"in_calendar_day", list({1}), {3}},
          {"in_calendar_week", list({0}), {2, 3}},
          {"in_calendar_month", list({0}), {2}},
          {"in_calendar_month", list({-1}), {1}},
          {"in_calendar_year", list({1}), {5}}}},
        {"list", with(choice("a", "b"), {{"is", list({"A"}), {3}}})},
        {"status_list", choice("wtg", "ip")},
        {"entity_type", choice("Shot", "Asset")},
        {"uuid", choice("u-1", "u-2")},
        {"color", choice("1,2,3", "pipeline_step")},
        {"entity", links},
        {"multi_entity",
         {{"is", list({user(2)}), {1, 2}},
          {"is", list({nullptr}), {4, 5}},
          {"is_not", list({user(2)}), {3, 4, 5}},
          {"is_not", list({nullptr}), {1, 2, 3}},
          {"in", list({user(1), link("Project", 1)}), {1, 3}},
          {"not_in", list({user(1), link("Project", 1)}), {2, 4, 5}},
          {"type_is", list({"Project"}), {3}},
          {"type_is_not", list({"Project"}), {1, 2, 4, 5}},
          {"name_is", list({"BAO NGUYEN"}), {1, 2}},
          {"name_contains", list({"ada"}), {1, 3}},
          {"name_not_contains", list({"ada"}), {2, 4, 5}}}},
        {"addressing",
         {{"is", list({user(2)}), {2}},
          {"is_not", list({user(2)}), {1, 3, 4, 5}},
          {"contains", list({user(1)}), {1}},
          {"not_contains", list({user(1)}), {2, 3, 4, 5}},
          {"in", list({user(1), user(2)}), {1, 2}},
          {"type_is", list({"HumanUser"}), {1, 2}},
          {"type_is_not", list({"HumanUser"}), {3, 4, 5}},
          {"name_contains", list({"RAND"}), {1}},
          {"name_not_contains", list({"rand"}), {2, 3, 4, 5}},
          {"name_starts_with", list({"bao"}), {2}},
          {"name_ends_with", list({"BRANDT"}), {1}}}},
        {"tag_list",
         {{"is", list({"RAIN"}), {1, 2}},
          {"is_not", list({"rain"}), {3, 4, 5}},
          {"name_contains", list({"ight"}), {1}},
          {"name_not_contains", list({"ight"}), {2, 3, 4, 5}}}},
        {"image", {{"is", list({nullptr}), {1, 2, 3, 4, 5}}, {"is_not", list({nullptr}), {}}}},
        {"jsonb",
         {{"is", list({1}), {1, 2, 3, 4, 5}},
          {"is_not", list({1}), {1, 2, 3, 4, 5}},
          {"contains", list({1}), {1, 2, 3, 4, 5}},
          {"not_contains", list({1}), {1, 2, 3, 4, 5}}}},
        {"footage", {}},
        {"url", {}},
        {"password", {}},
        {"serializable", {}},
        {"summary", {}},
        {"calculated", {}},
        {"query", {}},
        {"pivot_column", {}},
        {"system_task_type", {}},
    };
    return cases;
}

/// Every relation of the protocol.
inline const std::vector<std::string> relations{"is",
                                                "is_not",
                                                "less_than",
                                                "greater_than",
                                                "contains",
                                                "not_contains",
                                                "starts_with",
                                                "ends_with",
                                                "between",
                                                "not_between",
                                                "in",
                                                "not_in",
                                                "in_last",
                                                "not_in_last",
                                                "in_next",
                                                "not_in_next",
                                                "in_calendar_day",
                                                "in_calendar_week",
                                                "in_calendar_month",
                                                "in_calendar_year",
                                                "type_is",
                                                "type_is_not",
                                                "name_is",
                                                "name_contains",
                                                "name_not_contains",
                                                "name_starts_with",
                                                "name_ends_with",
                                                "name_id"};

}  // namespace sg::test
