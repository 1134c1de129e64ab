#include <sg/plugin.hpp>

// Makes a Note for every Version that is rejected: once, however often the event is tried.
static void on_status(const sg::Event& event, sg::Context& context) {
    if (event.new_value() != "rej") return;

    const std::string subject = fmt::format("Rejected [{}]", context.idempotency_key());
    auto& site = context.site();
    if (context.redelivered() || context.attempt() > 1) {
        if (!site.find_one("Note", {"subject", "is", subject}).is_null())
            return;  // an earlier try got this far
    }
    try {
        const auto links = nlohmann::json::array({event.entity()});
        site.create("Note", {{"project", event.project()}, {"note_links", links}, {"subject", subject}});
    } catch (const sg::Error& error) {
        if (error.cause() != sg::Cause::permission) throw;  // tried again, later and later
        context.logger().warning("No Notes for this project. project={} why={}", event.project().name,
                                 error.what());
    }
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Version_Change", "sg_status_list", on_status); }
