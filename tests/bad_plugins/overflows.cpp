// Needs more stack than there is.
#include <sg/plugin.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"  // as it is meant
static int deeper(int depth) {
    volatile char room[4096];
    room[0] = static_cast<char>(depth);
    return depth > 0 ? deeper(depth + 1) + room[0] : 0;
}
#pragma GCC diagnostic pop

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        if (deeper(1) == 42) throw 1;
    });
}
