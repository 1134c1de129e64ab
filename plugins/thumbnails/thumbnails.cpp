// Keeps a folder of thumbnails in step with the Versions of the site.
//
// Each event only says which Version to look at; what the folder should hold follows from that Version as it
// is now. The daemon's data retriever asks the site and fetches the picture; the coroutine waits for both
// without holding a thread, and what it throws is the event's: it is tried again.

#include <sg/plugin.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Throws what the operator reads when the plugin is refused.
fs::path read_folder(const json& args) {
    if (!args.is_object() || !args.contains("folder") || !args.at("folder").is_string())
        throw std::invalid_argument("the argument 'folder' must be the path of a folder");
    for (const auto& [name, value] : args.items())
        if (name != "folder")
            throw std::invalid_argument("unknown argument '" + name + "'; there is only folder");
    const fs::path folder = args.at("folder").get<std::string>();
    if (!folder.is_absolute()) throw std::invalid_argument("argument 'folder': it must be an absolute path");
    return folder;
}

/// The pictures of one Version, whatever their suffix and project.
std::vector<fs::path> pictures_of(const fs::path& folder, sg::EntityId version) {
    std::vector<fs::path> found;
    if (!fs::is_directory(folder)) return found;
    for (const auto& project : fs::directory_iterator(folder)) {
        if (!project.is_directory()) continue;
        for (const auto& file : fs::directory_iterator(project))
            if (file.path().stem() == std::to_string(version)) found.push_back(file.path());
    }
    return found;
}

class Thumbnails {
public:
    explicit Thumbnails(fs::path folder) : folder_(std::move(folder)) {}

    sg::Async operator()(const sg::Event& event, sg::Context& context) const {
        const auto version = event.meta_entity();
        if (version.type != "Version" || version.id == 0) co_return;

        auto& data = context.retriever();
        const auto filters = json::array({json::array({"id", "is", version.id})});
        const auto asked = json::array({"Version", filters, json::array({"image", "project"})});
        const auto finding = data.execute_find_one(asked);
        const auto found = co_await finding;

        const auto& row = found.data.at("sg");
        const auto url = row.is_object() ? row.value("image", json()) : json();
        if (!url.is_string()) {  // retired, or without a thumbnail
            keep_only({}, version.id, context);
            co_return;
        }
        // A picture that was replaced may have the address of the one before.
        const auto policy = event.attribute() == "image" ? sg::CachePolicy::refresh : sg::CachePolicy::use;
        const sg::ThumbnailOptions options{sg::Image::path_only, policy};
        const auto fetching =
            data.request_thumbnail(url.get<std::string>(), "Version", version.id, "image", options);
        const auto fetched = co_await fetching;

        const auto picture = fetched.path();
        if (!picture) {  // gone in between: another event tells of it
            keep_only({}, version.id, context);
            co_return;
        }
        const auto project = sg::EntityRef::from_json(row.value("project", json()));
        const auto place = folder_ / std::to_string(project.id) /
                           (std::to_string(version.id) + picture->extension().string());
        put(*picture, place, context);
        keep_only(place, version.id, context);
    }

private:
    /// Written beside its place first: nobody ever sees half of it.
    static void put(const fs::path& picture, const fs::path& place, sg::Context& context) {
        if (context.dry_run()) return context.logger().info("Would write {}", place.string());
        fs::create_directories(place.parent_path());
        auto arriving = place;
        arriving.replace_filename("." + place.filename().string());
        fs::copy_file(picture, arriving, fs::copy_options::overwrite_existing);
        fs::rename(arriving, place);
        context.logger().info("Written. file={}", place.string());
    }

    void keep_only(const fs::path& place, sg::EntityId version, sg::Context& context) const {
        for (const auto& file : pictures_of(folder_, version)) {
            if (file == place) continue;
            if (context.dry_run()) {
                context.logger().info("Would remove {}", file.string());
                continue;
            }
            fs::remove(file);
            context.logger().info("Removed. file={}", file.string());
        }
    }

    const fs::path folder_;
};

}  // namespace

SG_PLUGIN(registrar) {
    const auto filter = sg::EventFilter{}
                            .on("Shotgun_Version_New")
                            .on("Shotgun_Version_Retirement")
                            .on("Shotgun_Version_Revival")
                            .on("Shotgun_Version_Change", {"image", "project"});
    registrar.add(
        {.name = "thumbnails", .filter = filter, .callback = Thumbnails(read_folder(registrar.args()))});
}
