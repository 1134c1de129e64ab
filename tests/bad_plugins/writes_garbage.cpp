// Speaks on the link of its host.
#include <unistd.h>
#include <sg/plugin.hpp>
#include <string>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        const std::string noise(64, static_cast<char>(0x5a));
        while (::write(3, noise.data(), noise.size()) < 0) {
        }
    });
}
