// Says in the log when a Task gets another status, and who gave it that.

#include <sg/plugin.hpp>

static void on_status(const sg::Event& event, sg::Context& context) {
    context.logger().info("Status of {} set by {}: {} to {}.", event.entity().name, event.user().name,
                          event.old_value().dump(), event.new_value().dump());
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Task_Change", "sg_status_list", on_status); }
