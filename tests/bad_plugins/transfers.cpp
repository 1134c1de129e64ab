// Sends a file for each event and says how that gets on; of event 2 it has had enough after the first news.
#include <sg/plugin.hpp>
#include <stdexcept>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context& context) {
        sg::UploadOptions options;
        options.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
            context.logger().info("sent {} of {}", done, total ? std::to_string(*total) : "?");
            if (event.id() == 2) throw std::runtime_error("enough");
        };
        context.site().upload({"Version", 5, {}}, "/take.mov", "sg_uploaded_movie", options);
    });
}
