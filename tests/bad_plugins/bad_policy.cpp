// Asks for more than there is.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.add({.name = "strict", .callback = [](const sg::Event&, sg::Context&) {}, .concurrency = 65});
}
