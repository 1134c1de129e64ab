// The plugin thumbnails, as it ships, in a real host with a real site.

#include "data_requests/live.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("the plugin thumbnails keeps a folder in step with the Versions of a site") {
    Live live({.workers = 2});
    const auto shelf = live.rig.dir / "shelf";
    fs::copy_file(fs::path(SG_PLUGIN_DIR) / "thumbnails.so", live.rig.dir / "plugins" / "thumbnails.so");
    live.rig.set.reset();
    live.rig.owner.ready.clear();
    live.rig.options.plugins["thumbnails"] = live.rig.options.defaults;
    live.rig.options.plugins["thumbnails"].args = {{"folder", shelf.string()}};
    live.rig.start();
    REQUIRE(live.rig.wait_ready("thumbnails"));
    const auto version = live.studio.thumbnail("a picture").first;
    std::size_t told = 0;
    const auto tell = [&](const std::string& what, const std::string& attribute) {
        const auto id = static_cast<EventId>(++told);
        const auto raw = json{{"id", id},
                              {"event_type", "Shotgun_Version_" + what},
                              {"attribute_name", attribute},
                              {"entity", link("Version", version)},
                              {"meta", {{"entity_type", "Version"}, {"entity_id", version}}}}
                             .dump();
        const auto type = "Shotgun_Version_" + what;
        event::EventRow row;
        row.id = id;
        row.type = type;
        row.attribute = attribute;
        row.raw = raw;
        live.rig.deliver("thumbnails", {{event::detach(row), {0}, 1, false}});
        REQUIRE(live.rig.wait_outcomes("thumbnails", told));
        const auto& last = live.rig.owner.outcomes["thumbnails"].back();
        INFO(last.error << live.rig.everything_logged());
        CHECK(last.ok);
    };
    const auto place = shelf / std::to_string(live.studio.project) / (std::to_string(version) + ".png");
    tell("New", "");
    CHECK(bytes_of(place) == "a picture");
    live.studio.upload("Version", version, "image", "thumb.png", "another picture");
    tell("Change", "image");
    CHECK(bytes_of(place) == "another picture");
    live.studio.site.remove({}, "Version", version);
    tell("Retirement", "");
    CHECK_FALSE(fs::exists(place));
}
