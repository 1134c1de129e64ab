// Reads where nothing is.
#include <csignal>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        volatile int* nowhere = nullptr;
        *nowhere = 1;
    });
}
