// A plugin that sleeps 50 ms on every fourth event.
#include <sg/plugin.hpp>

#include <chrono>
#include <thread>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.id() % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    });
}
