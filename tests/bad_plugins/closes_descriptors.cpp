// Closes everything that it finds open.
#include <unistd.h>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        for (int fd = 3; fd < 200; ++fd) ::close(fd);
    });
}
