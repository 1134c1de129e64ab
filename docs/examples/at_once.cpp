#include <sg/plugin.hpp>

#include <atomic>
#include <memory>

// Makes a preview of each Version, which takes a while: four at once, those of one Version in their order.
static std::string version_of(const sg::Event& event) { return std::to_string(event.meta_entity().id); }

SG_PLUGIN(registrar) {
    const auto made = std::make_shared<std::atomic<int>>(0);  // calls overlap: what they share is atomic
    registrar.add({.name = "previews",
                   .filter = sg::EventFilter{}.on("Shotgun_Version_Change", {"sg_uploaded_movie"}),
                   .callback =
                       [made](const sg::Event& event, sg::Context& context) {
                           context.logger().info("Preview. version={} made={}", version_of(event), ++*made);
                       },
                   .concurrency = 4,
                   .keep_order = sg::KeepOrder::by_key,
                   .key = version_of});
}
