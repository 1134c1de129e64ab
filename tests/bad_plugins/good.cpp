// Does what a plugin should: handles every event, and says so when asked.
#include <cstdio>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.add({.name = "all", .callback = [](const sg::Event& event, sg::Context& context) {
                       if (event.type() == "Say")
                           context.logger().info("said {} for the {}. time", event.id(), context.attempt());
                       if (event.type() == "Print") std::puts("printed");
                       if (event.type() == "Throw") throw sg::Error(sg::Cause::busy, "not now");
                   }});
}
