// Claims to send a gigabyte.
#include <unistd.h>
#include <sg/plugin.hpp>
#include <string_view>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        constexpr std::string_view head("\0\0\0\x40\x05\0\x03\0", 8);
        while (::write(3, head.data(), head.size()) < 0) {
        }
    });
}
