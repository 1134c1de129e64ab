// A plugin that wants an event that never happens: what is left is the cost of finding that out.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("Shotgun_Nothing_New", [](const sg::Event&, sg::Context&) {});
}
