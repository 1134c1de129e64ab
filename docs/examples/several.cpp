#include <sg/plugin.hpp>

static void on_shot(const sg::Event& event, sg::Context& context) {
    context.logger().info("Shot touched. type={} shot={}", event.type(), event.meta_entity().id);
}
static void on_code(const sg::Event& event, sg::Context& context) {
    context.logger().info("Renamed. from={} to={}", event.old_value().dump(), event.new_value().dump());
}

SG_PLUGIN(registrar) {
    registrar.add({.name = "shots come and go",
                   .filter = sg::EventFilter{}
                                 .on("Shotgun_Shot_New")
                                 .on("Shotgun_Shot_Retirement")
                                 .on("Shotgun_Shot_Change", {"sg_cut_in", "sg_cut_out"}),
                   .callback = on_shot});
    registrar.add({.name = "renames of anything",
                   .filter = sg::EventFilter{}.on("*", {"code"}),
                   .callback = on_code,
                   .credential = sg::Credential::named("renames")});
}
