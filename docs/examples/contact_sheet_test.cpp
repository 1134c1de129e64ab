#include <sg/testing.hpp>

#include <cassert>
#include <fstream>

int main() {
    std::ofstream("take.png") << "a picture";
    sg::testing::FakeSite site;
    const auto shot = site.add("Shot", {{"code", "sh010"}, {"sg_status_list", "ip"}});
    site.add("Version", {{"code", "take1"}, {"entity", shot}, {"image", "https://studio.example/1.png"}});
    site.add("Version", {{"code", "take2"}, {"entity", shot}, {"image", nullptr}});

    sg::testing::Call call;
    call.files = [](std::string_view, const nlohmann::json&) { return "take.png"; };
    sg::testing::Plugin plugin(site);
    plugin.handle(sg::testing::change(shot, "sg_status_list", "ip", "fin"), call);
    const auto folder = std::filesystem::temp_directory_path() / "sheets" / std::to_string(shot.id);
    assert(std::filesystem::file_size(folder / "0.png") == 9);
    assert(!std::filesystem::exists(folder / "1.png"));
}
