#include <sg/testing.hpp>

#include <cassert>

int main() {
    sg::testing::FakeSite site;
    const auto shot = site.add("Shot", {{"code", "sh010"}});
    const auto person = site.add("HumanUser", {{"name", "Rhea"}});
    const auto task = [&](const char* status, const char* due) {
        return site.add("Task", {{"entity", shot}, {"sg_status_list", status}, {"due_date", due}});
    };
    const auto to_come = task("ip", "2026-03-05"), past = task("ip", "2026-03-04"),
               done = task("fin", "2026-03-05");

    auto event = sg::testing::change(shot, "sg_status_list", "ip", "hld");
    event["user"] = person;
    event["created_at"] = "2026-03-04T05:06:07Z";
    sg::testing::Plugin plugin(site);
    plugin.handle(event);

    assert(site.row(to_come).at("sg_status_list") == "hld");
    assert(site.row(to_come).at("sg_held_at") == "2026-03-04T05:06:07Z");
    assert(site.row(past).at("sg_status_list") == "ip");
    assert(site.row(done).at("sg_status_list") == "fin");
    assert(sg::read_links(site.row(person).at("sg_held_shots")).front() == shot);
}
