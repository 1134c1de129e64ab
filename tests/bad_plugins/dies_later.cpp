// Dies in a thread of its own, when no event is running.
#include <unistd.h>
#include <chrono>
#include <sg/plugin.hpp>
#include <thread>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        static std::jthread later([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            ::_exit(9);
        });
    });
}
