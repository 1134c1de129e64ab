#include <sg/plugin.hpp>

static void on_approved(const sg::Event& event, sg::Context& context) {
    const auto& why = event.field("description");
    context.logger().info("Approved. task={} sequence={} why={}", event.entity().id,
                          event.field("entity.Task.sg_sequence").dump(), why.dump());
}
static void on_cut(const sg::Event&, sg::Context& context) {
    context.logger().info("The cut has changed. events={}", context.merged().size());
}
static void on_new_shot(const sg::Event& event, sg::Context& context) {
    context.logger().info("A Shot is there, its fields filled in. shot={}", event.entity().name);
}

SG_PLUGIN(registrar) {
    registrar.add({.name = "approved by people",
                   .filter = sg::EventFilter{}.on("Shotgun_Task_Change", {"sg_status_list"}),
                   .callback = on_approved,
                   .only = {.projects = {65, 70}, .new_values = {"apr", "fin"}},
                   .never = {.scripts = {"importer"}, .own = true},
                   .fields = {"description", "entity.Task.sg_sequence"}});
    registrar.add({.name = "cut",
                   .filter = sg::EventFilter{}.on("Shotgun_Shot_Change", {"sg_cut_in", "sg_cut_out"}),
                   .callback = on_cut,
                   .coalesce = std::chrono::seconds(2),
                   .coalesce_by = sg::MergeBy::project});
    registrar.add({.name = "new shots",
                   .filter = sg::EventFilter{}.on("Shotgun_Shot_New"),
                   .callback = on_new_shot,
                   .settle = std::chrono::milliseconds(500)});
}
