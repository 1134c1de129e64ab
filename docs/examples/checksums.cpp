#include <sg/plugin.hpp>

#include <filesystem>
#include <fstream>

// Reads a whole file, which takes long. In a background thread, so it takes no part of the callback.
static std::uint32_t checksum(const std::filesystem::path& file, std::stop_token stop) {
    std::uint32_t sum = 0;
    std::ifstream in(file, std::ios::binary);
    for (char buffer[1 << 16]; in.read(buffer, sizeof buffer) || in.gcount() > 0;) {
        if (stop.stop_requested()) throw sg::Error(sg::Cause::stopped, "asked to stop");
        for (std::streamsize i = 0; i < in.gcount(); ++i)
            sum = sum * 31 + static_cast<unsigned char>(buffer[i]);
    }
    return sum;
}

// Writes the checksums of a published picture and of its preview to the site.
static sg::Async on_publish(const sg::Event& event, sg::Context& context) {
    const auto paths = context.site().find_one("PublishedFile", {"id", "is", event.entity().id},
                                               {"sg_picture", "sg_preview"});
    if (paths.is_null()) co_return;  // retired since

    auto& tasks = context.tasks();
    const auto start = [&](const char* field) {
        return tasks.async([file = paths.at(field).get<std::string>()](std::stop_token stop) {
            return checksum(file, stop);
        });
    };
    auto picture = start("sg_picture"), preview = start("sg_preview");  // both run now

    const auto first = co_await picture;
    const auto second = co_await preview;
    const nlohmann::json sums{{"sg_checksum", first}, {"sg_preview_checksum", second}};
    context.site().update(event.entity(), sums);
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_PublishedFile_New", on_publish); }
