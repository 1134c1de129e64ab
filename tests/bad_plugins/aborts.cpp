// Gives up.
#include <cstdlib>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        std::abort();
    });
}
