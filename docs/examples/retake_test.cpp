#include <sg/testing.hpp>

#include <cassert>

int main() {
    sg::testing::FakeSite site;
    const auto task = site.add("Task", {{"content", "comp"}, {"sg_status_list", "rev"}});
    const auto version = site.add("Version", {{"code", "sh010_comp_v001"}, {"sg_task", task}});

    sg::testing::Plugin plugin(site);  // runs SG_PLUGIN of retake.cpp, linked in beside this file
    plugin.handle(sg::testing::change(version, "sg_status_list", "rev", "rtk"));
    assert(site.row(task).at("sg_status_list") == "rtk");

    plugin.handle(sg::testing::change(version, "sg_status_list", "rtk", "rtk"), {.redelivered = true});
    assert(site.row(task).at("sg_status_list") == "rtk");

    site.retire(version);
    plugin.handle(sg::testing::change(version, "sg_status_list", "rev", "rtk"));  // must not throw
}
