// Lets calls overlap, and asks the site in each: a test decides when one ends.
#include <sg/plugin.hpp>

static void ask(const sg::Event& event, sg::Context& context) {
    context.site().find("Shot", nlohmann::json::array({{"id", "is", event.id()}}));
    if (event.type() == "Throw") throw sg::Error(sg::Cause::busy, "not now");
    if (event.type() == "Crash") __builtin_trap();
}

SG_PLUGIN(registrar) {
    const auto of = [](const char* type) { return sg::EventFilter{}.on(type); };
    registrar.add({.name = "by project",
                   .filter = of("Fine"),
                   .callback = ask,
                   .concurrency = 3,
                   .keep_order = sg::KeepOrder::project});
    registrar.add({.name = "free", .callback = ask, .concurrency = 2, .keep_order = sg::KeepOrder::nothing});
    registrar.add({.name = "by key",
                   .callback = ask,
                   .concurrency = 4,
                   .keep_order = sg::KeepOrder::by_key,
                   .key = [](const sg::Event& event) { return std::to_string(event.id() % 2); }});
    registrar.add({.name = "one", .callback = ask});
    registrar.add({.name = "by entity", .callback = ask, .concurrency = 3});
}
