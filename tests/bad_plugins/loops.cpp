// Never returns.
#include <atomic>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        static std::atomic<std::uint64_t> turns;
        while (true) ++turns;
    });
}
