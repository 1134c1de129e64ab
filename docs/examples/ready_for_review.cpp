#include <sg/plugin.hpp>

static void on_status(const sg::Event& event, sg::Context& context) {
    if (event.new_value() != "rev") return;
    context.logger().info("Ready for review. version={}", event.entity().name);
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Version_Change", "sg_status_list", on_status); }
