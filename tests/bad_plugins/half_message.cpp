// Begins a message, and dies.
#include <unistd.h>
#include <sg/plugin.hpp>
#include <string_view>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        constexpr std::string_view half("\x40\0\0\0\x05\0\x03\0abc", 11);
        if (::write(3, half.data(), half.size()) > 0) ::_exit(7);
    });
}
