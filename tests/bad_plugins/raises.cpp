// Ends by a signal that no handler sees, under a sanitizer as without.
#include <csignal>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        std::signal(SIGSEGV, SIG_DFL);
        std::raise(SIGSEGV);
    });
}
