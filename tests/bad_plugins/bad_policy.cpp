// Asks for what is not built yet.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.add({.name = "strict", .callback = [](const sg::Event&, sg::Context&) {}, .concurrency = 2});
}
