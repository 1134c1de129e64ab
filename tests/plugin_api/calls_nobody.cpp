// Calls what nobody defines: must not link, so that it does not fail at the first call.
#include <sg/plugin.hpp>

void defined_by_nobody();

SG_PLUGIN(registrar) {
    registrar.on("Shotgun_Shot_New", [](const sg::Event&, sg::Context&) { defined_by_nobody(); });
}
