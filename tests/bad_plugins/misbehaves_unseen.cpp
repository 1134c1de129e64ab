// Does what only a sanitizer notices, and nothing that a caller could.
#include <sg/plugin.hpp>
#include <thread>
#include <vector>

static int both_write = 0;

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() == "Overflow") {
            std::vector<char> room(8);
            volatile char* const end = room.data() + room.size();
            [[maybe_unused]] const char behind = *end;
        }
        if (event.type() == "Undefined") {
            volatile int most = 2147483647;
            most = most + 1;
        }
        if (event.type() == "Race") {
            std::thread other([] { ++both_write; });
            ++both_write;
            other.join();
        }
    });
}
