// The plugin on a site in memory: what lies in the folder, and when.

#include <sg/testing.hpp>

#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "temp_dir.hpp"

using nlohmann::json;
using sg::testing::change;
using sg::testing::FakeSite;
using sg::testing::life_cycle;
using sg::testing::Plugin;
namespace fs = std::filesystem;

namespace {

/// A Version, its picture as the site has it, and the plugin.
struct Production {
    Production() { upload("first", ".jpg"); }

    void upload(const std::string& bytes, const std::string& suffix) {
        picture = dir / ("picture" + suffix);
        std::ofstream(picture) << bytes;
    }
    void handle(const json& event, sg::testing::Call call = {}) {
        call.files = [this](std::string_view kind, const json& what) -> std::optional<fs::path> {
            asked.push_back({{"kind", kind}, {"what", what}});
            if (is_gone) return std::nullopt;
            return picture;
        };
        plugin.handle(event, call);
    }
    fs::path place(const char* suffix) const {
        return dir / "thumbnails" / std::to_string(project.id) / (std::to_string(version.id) + suffix);
    }
    static std::string text(const fs::path& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    sg::test::TempDir dir;
    fs::path picture;
    bool is_gone = false;
    std::vector<json> asked;
    FakeSite site;
    sg::EntityRef project = site.add("Project", {{"name", "Demo"}});
    sg::EntityRef version =
        site.add("Version", {{"code", "take"}, {"project", project}, {"image", "https://s/thumbs/1.jpg"}});
    Plugin plugin{site, {{"folder", (dir / "thumbnails").string()}}};
};

std::string refusal(const json& args) {
    FakeSite site;
    try {
        Plugin plugin(site, args);
    } catch (const std::exception& e) {
        return e.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("the thumbnail of a new Version is in the folder, and nothing else") {
    Production p;
    p.handle(life_cycle(p.version, "New"));
    CHECK(p.text(p.place(".jpg")) == "first");
    REQUIRE(p.asked.size() == 1);
    CHECK(p.asked[0].at("what").at("url") == "https://s/thumbs/1.jpg");
    CHECK(p.asked[0].at("what").at("field") == "image");
    const auto files = fs::directory_iterator(p.place(".jpg").parent_path());
    CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("a new picture takes the place of the old one, whatever its format") {
    Production p;
    p.handle(life_cycle(p.version, "New"));
    p.upload("second", ".png");
    p.handle(change(p.version, "image", nullptr, nullptr));
    CHECK(p.text(p.place(".png")) == "second");
    CHECK_FALSE(fs::exists(p.place(".jpg")));
}

TEST_CASE("the picture of a Version that is retired, or has none any more, goes") {
    Production p;
    p.handle(life_cycle(p.version, "New"));
    SECTION("retired") {
        p.site.retire(p.version);
        p.handle(life_cycle(p.version, "Retirement"));
    }
    SECTION("without a url") {
        p.site.set(p.version, "image", nullptr);
        p.handle(change(p.version, "image", nullptr, nullptr));
    }
    SECTION("without a file") {
        p.is_gone = true;
        p.handle(change(p.version, "image", nullptr, nullptr));
    }
    CHECK_FALSE(fs::exists(p.place(".jpg")));
}

TEST_CASE("a Version that moves to another project takes its picture along") {
    Production p;
    p.handle(life_cycle(p.version, "New"));
    const auto before = p.place(".jpg");
    p.project = p.site.add("Project", {{"name", "Second"}});
    p.site.set(p.version, "project", p.project);
    p.handle(change(p.version, "project", nullptr, nullptr));
    CHECK(fs::exists(p.place(".jpg")));
    CHECK_FALSE(fs::exists(before));
}

TEST_CASE("an event that failed is made good by its next try, and one that comes twice does no harm") {
    Production p;
    p.site.fail_next(sg::Error(sg::Cause::busy, "slow down"));
    CHECK_THROWS_AS(p.handle(life_cycle(p.version, "New")), sg::Error);
    CHECK_FALSE(fs::exists(p.place(".jpg")));
    p.handle(life_cycle(p.version, "New"), {.attempt = 2});
    p.handle(life_cycle(p.version, "New"), {.attempt = 2, .redelivered = true});
    CHECK(p.text(p.place(".jpg")) == "first");
}

TEST_CASE("a dry run changes nothing in the folder") {
    Production p;
    p.handle(life_cycle(p.version, "New"), {.dry_run = true});
    CHECK_FALSE(fs::exists(p.place(".jpg")));
    CHECK(p.plugin.log().count("Would write") == 1);
    p.handle(life_cycle(p.version, "New"));
    p.site.retire(p.version);
    p.handle(life_cycle(p.version, "Retirement"), {.dry_run = true});
    CHECK(fs::exists(p.place(".jpg")));
}

TEST_CASE("arguments of thumbnails that make no sense refuse the plugin") {
    CHECK_THAT(refusal(nullptr), Catch::Contains("'folder'"));
    CHECK_THAT(refusal({{"folder", 7}}), Catch::Contains("'folder'"));
    CHECK_THAT(refusal({{"folder", "thumbs"}}), Catch::Contains("absolute"));
    CHECK_THAT(refusal({{"folder", "/thumbs"}, {"size", 1}}), Catch::Contains("size"));
    CHECK(refusal({{"folder", "/thumbs"}}) == "accepted");
}
