// work_schedule_read and work_schedule_update.

#include "sandbox/params.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

constexpr auto longest_answer = std::chrono::days(3700);

Seconds day_in(const Call& call, const char* key) {
    const auto text = text_in(call.params, call, key);
    const auto day = read_date(text);
    if (!day)
        refuse(fault_invalid, "API {}() '{}' Invalid date format: {}. Correct format is: 2011-01-21",
               call.method, key, text);
    return *day;
}

/// A row's id; 0 where the parameter is null, or names a row that is not there: then the studio's rule
/// counts.
Id whose(const Call& call, const char* key, std::string_view type) {
    const auto& value = member(call.params, key);
    if (value.is_null()) return 0;
    const auto link = link_key(value);
    if (link.type != type)
        refuse(fault_invalid, "API {}() invalid entity hash '{}': {}", call.method, key, value.dump());
    return std::as_const(call.store).find(type, link.id) == nullptr ? 0 : link.id;
}

Json rule_of(const Call& call, Seconds day, Id project, Id user) {
    const auto date = iso_text(day).substr(0, 10);
    const auto look = [&](Id of_project, Id of_user) -> const DayRule* {
        const auto found = call.state.schedule.find({date, of_project, of_user});
        return found == call.state.schedule.end() ? nullptr : &found->second;
    };
    const auto shown = [](const DayRule& rule, const char* reason) {
        return Json{{"working", rule.working}, {"description", rule.description}, {"reason", reason}};
    };
    if (const auto* rule = user == 0 ? nullptr : look(0, user)) return shown(*rule, "USER_EXCEPTION");
    if (const auto* rule = project == 0 ? nullptr : look(project, 0))
        return shown(*rule, "PROJECT_EXCEPTION");
    if (const auto* rule = look(0, 0)) return shown(*rule, "STUDIO_EXCEPTION");
    const std::chrono::weekday weekday(std::chrono::floor<std::chrono::days>(day));
    const bool working = weekday != std::chrono::Saturday && weekday != std::chrono::Sunday;
    return shown({working, nullptr}, "STUDIO_WORK_WEEK");
}

/// The link as it was sent, and its name.
Json named(const Call& call, const char* key) {
    const auto& value = member(call.params, key);
    const auto shown = call.store.shown(value);
    return shown.is_null() ? value : shown;
}

}  // namespace

Json work_schedule_read(const Call& call) {
    const auto first = day_in(call, "start_date"), last = day_in(call, "end_date");
    const auto project = whose(call, "project", "Project"), user = whose(call, "user", "HumanUser");
    if (last < first || last - first > longest_answer)
        refuse(fault_invalid, "API {}() 'end_date' is before 'start_date', or years after it", call.method);
    auto out = Json::object();
    for (auto day = first; day <= last; day += std::chrono::days(1))
        out[iso_text(day).substr(0, 10)] = rule_of(call, day, project, user);
    return out;
}

Json work_schedule_update(const Call& call) {
    need_write(call, "work schedule");
    const auto day = day_in(call, "date");
    const auto& working = member(call.params, "working");
    const auto& recalculate = member(call.params, "recalculate_field");
    if (!working.is_boolean())
        refuse(fault_invalid, "API {}() invalid/missing boolean 'working'", call.method);
    const auto project = whose(call, "project", "Project"), user = whose(call, "user", "HumanUser");
    if (!member(call.params, "project").is_null() && !member(call.params, "user").is_null())
        refuse(fault_invalid, "API {}() 'project' and 'user' exclude each other", call.method);
    if (!recalculate.is_null() && recalculate != "due_date" && recalculate != "duration")
        refuse(fault_invalid, "API {}() invalid 'recalculate_field': {}", call.method, recalculate.dump());
    if (!recalculate.is_null())
        refuse(fault_invalid, "API {}() the sandbox doesn't shift tasks: 'recalculate_field' must be null",
               call.method);
    const auto date = iso_text(day).substr(0, 10);
    const auto& description = member(call.params, "description");
    ++call.state.changes;
    call.state.schedule[{date, project, user}] = {working.get<bool>(), description};
    return {{"date", date},
            {"working", working},
            {"description", description},
            {"project", named(call, "project")},
            {"user", named(call, "user")}};
}

}  // namespace sg::sandbox
