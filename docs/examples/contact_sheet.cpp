#include <sg/plugin.hpp>

#include <filesystem>
#include <vector>

// Puts the thumbnails of a finished Shot's Versions into a folder.
static sg::Async on_status(const sg::Event& event, sg::Context& context) {
    if (event.new_value() != "fin") co_return;

    auto& data = context.retriever();
    const auto filters = nlohmann::json::array({nlohmann::json::array({"entity", "is", event.entity()})});
    const auto finding = data.execute_find({"Version", filters, {"code", "image"}});
    const auto versions = co_await finding;

    std::vector<sg::Request> pictures;  // all are under way together
    for (const auto& row : versions.data.at("sg"))
        if (row.at("image").is_string())
            pictures.push_back(data.request_thumbnail(row.at("image").get<std::string>(), "Version",
                                                      row.at("id").get<sg::EntityId>(), "image"));

    const auto folder = std::filesystem::temp_directory_path() / "sheets" / std::to_string(event.entity().id);
    std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const auto reply = co_await pictures[i];
        if (const auto file = reply.path())  // none: it has gone since
            std::filesystem::copy_file(*file, folder / (std::to_string(i) + file->extension().string()),
                                       std::filesystem::copy_options::overwrite_existing);
    }
}

SG_PLUGIN(registrar) { registrar.on("Shotgun_Shot_Change", "sg_status_list", on_status); }
