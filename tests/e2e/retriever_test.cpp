// The data retriever of a whole daemon, through a plugin that ships.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

using sg::test::Daemon;
using sg::test::Home;

TEST_CASE("a plugin's files come through the daemon's cache, and a replay leaves both alone") {
    sg::sandbox::Site site;
    const auto project = site.add("Project", {{"name", "Demo"}});
    const Home home(site, {{"thumbnails", sg::test::shipped("thumbnails"), {{"folder", "@DIR@/shelf"}}, {}}},
                    {{"retriever", {{"workers", 2}}}});
    sg::sandbox::Id first = 0, version = 0;
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"thumbnails"}));
        version = site.create(
            {}, "Version", {{"code", "take"}, {"project", {{"type", "Project"}, {"id", project}}}}, &first);
        std::ofstream(home.path() / "picture.png") << "a picture";
        const auto sent =
            sg::test::command(home, {"site", "upload", "Version:" + std::to_string(version),
                                     (home.path() / "picture.png").string(), "--field", "image"});
        INFO(sent.error);
        REQUIRE(sent.ended.code == 0);
        // Perhaps the picture that says "being made" comes first.
        const auto place =
            home.path() / "shelf" / std::to_string(project) / (std::to_string(version) + ".png");
        const bool came = sg::test::wait_for([&] { return sg::test::read_file(place) == "a picture"; });
        INFO(daemon.log());
        REQUIRE(came);
        std::size_t kept = 0;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(home.path() / "cache" / "files"))
            if (entry.is_regular_file()) ++kept;
        CHECK(kept >= 1);
        CHECK(daemon.terminate().code == 0);
    }
    std::filesystem::remove_all(home.path() / "shelf");
    std::filesystem::remove_all(home.path() / "cache" / "files");
    const auto shown =
        sg::test::command(home, {"replay", "--plugin", "thumbnails", "--execute",
                                 std::to_string(first) + "-" + std::to_string(site.newest_id())});
    INFO(shown.out << shown.error);
    CHECK(shown.ended.code == 0);
    CHECK((shown.out + shown.error).find("Would write") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(home.path() / "shelf"));
    CHECK_FALSE(std::filesystem::exists(home.path() / "cache" / "files"));
}
