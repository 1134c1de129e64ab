#include <sg/plugin.hpp>

// A Shot that is put on hold takes along its open Tasks that are still to come, all or none.
static void on_status(const sg::Event& event, sg::Context& context) {
    if (event.new_value() != "hld" || !event.entity()) return;

    using sg::field;
    const sg::Date day(std::chrono::floor<std::chrono::days>(event.created_at()));
    const auto tasks = context.site().find(
        "Task",
        sg::all_of{field("entity").is(event.entity()), field("sg_status_list").not_in({"fin", "omt", "hld"}),
                   sg::any_of{field("due_date").is(nullptr), field("due_date").greater_than(day)}});

    sg::Batch batch;
    for (const auto& task : sg::read_links(tasks))
        batch.update(task, {{"sg_status_list", "hld"}, {"sg_held_at", sg::time_text(event.created_at())}});
    batch.update(event.user(), {{"sg_held_shots", sg::links({event.entity()})}},
                 {{"sg_held_shots", sg::UpdateMode::add}});
    context.site().batch(batch);
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Shot_Change", "sg_status_list", on_status); }
