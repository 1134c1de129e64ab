// Ends the process from a thread of its own.
#include <unistd.h>
#include <sg/plugin.hpp>
#include <thread>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        std::jthread([] { ::_exit(3); }).join();
    });
}
