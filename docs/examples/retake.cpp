#include <sg/plugin.hpp>

// A Version that is sent back takes its Task along.
static void on_status(const sg::Event& event, sg::Context& context) {
    if (event.new_value() != "rtk") return;

    auto& site = context.site();
    const auto version = site.find_one("Version", {"id", "is", event.entity().id}, {"sg_task"});
    if (version.is_null()) return;  // retired since

    const auto task = sg::EntityRef::from_json(version.at("sg_task"));
    if (!task) return;  // belongs to none
    site.update(task, {{"sg_status_list", "rtk"}});
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Version_Change", "sg_status_list", on_status); }
