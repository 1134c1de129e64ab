// Writes without end to its standard error, and dies.
#include <cstdio>
#include <cstdlib>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        for (int i = 0; i < 5000; ++i) std::fprintf(stderr, "noise %d\n", i);
        std::fputs("the last words\n", stderr);
        std::abort();
    });
}
