// A plugin that wants every event and does nothing with it: what is left is the cost of the way there.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event&, sg::Context&) {});
}
