// Needs a function that nobody has.
#include <sg/plugin.hpp>

extern void function_that_nobody_has();

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event&, sg::Context&) { function_that_nobody_has(); });
}
