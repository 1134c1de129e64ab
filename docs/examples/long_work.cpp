#include <sg/plugin.hpp>

#include <filesystem>

// Adds up what lies below a published folder, which takes as long as it takes.
static void on_publish(const sg::Event& event, sg::Context& context) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("/show/publish")) {
        if (context.stop_token().stop_requested()) throw sg::Error(sg::Cause::stopped, "asked to stop");
        if (entry.is_regular_file()) bytes += entry.file_size();
    }
    if (!context.dry_run()) context.logger().info("Measured. event={} bytes={}", event.id(), bytes);
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_PublishedFile_New", on_publish); }
