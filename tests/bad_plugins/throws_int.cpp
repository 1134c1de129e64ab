// Throws what is no exception.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        throw 42;
    });
}
