// The plugin alone: no daemon, and a site in memory.

#undef NDEBUG  // `assert` is what checks, in every kind of build
#include <sg/testing.hpp>

#include <cassert>

int main() {
    sg::testing::FakeSite site;
    const auto task = site.add("Task", {{"content", "comp"}, {"sg_status_list", "ip"}});

    sg::testing::Plugin plugin(site);
    assert(plugin.handle(sg::testing::change(task, "sg_status_list", "ip", "rev")) == 1);
    assert(plugin.log().count("\"ip\" to \"rev\".") == 1);
    assert(plugin.handle(sg::testing::change(task, "content", "comp", "roto")) == 0);
}
