// Is refused with its own text.
#include <sg/plugin.hpp>
#include <stdexcept>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event&, sg::Context&) {});
    throw std::runtime_error("no config for the farm");
}
