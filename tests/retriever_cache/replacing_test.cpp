// Entries that give way to others, or do not.

#include "retriever_cache/fixture.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

TEST_CASE("T171 a picture that says 'being made' is kept for its own url, and for a moment") {
    CacheRig rig;
    const std::string transient = "https://demo.example.com/images/status/transient/thumbnail_pending.png";
    const auto own_name = [&](const std::string& suffix) {
        const auto key = FileCache::key(transient);
        return "thumbs/" + key.substr(0, 2) + "/" + key.substr(2, 2) + "/" + key.substr(4) + suffix;
    };
    const std::string shot = "https://demo.example.com/thumbnail/full/Shot/12";
    Source pending({"being made", transient + "?x=1"});
    SECTION("asked for by its own url") {
        CHECK(rig.request(transient, pending) == rig.root / own_name(".png"));
        const auto stored = used_at(rig.root / own_name(".png"));
        rig.clock->advance(19s);
        CHECK(rig.request(transient, pending));
        CHECK(pending.asked == 1);
        CHECK(used_at(rig.root / own_name(".png")) == stored);
        rig.clock->advance(1s);
        CHECK(rig.request(transient, pending));
        CHECK(pending.asked == 2);
        rig.clock->set_utc(rig.clock->utc() - 24h);
        CHECK(rig.request(transient, pending));
        CHECK(pending.asked == 3);
    }
    SECTION("redirected to, with an older entry under the requested url") {
        CHECK(rig.request(shot, pending) == rig.root / own_name(".png"));
        CHECK(rig.files() == std::vector{own_name(".png")});
        CHECK(rig.request(shot, pending));
        CHECK(pending.asked == 2);
        rig.clock->advance(21s);
        Source real({"real", "/x.jpg"});
        const auto stored = rig.request(shot, real);
        REQUIRE(stored);
        CHECK(content(*stored) == "real");
        CHECK(rig.cache->store(shot, pending) == rig.root / own_name(".png"));
        CHECK(rig.cache->find(shot).value() == *stored);
        CHECK(content(*stored) == "real");
    }
    SECTION("an attachment") {
        CHECK(rig.cache->store_attachment({{"id", 1}}, pending) == rig.root / own_name(".png"));
        CHECK(rig.cache->find_attachment({{"id", 1}}).value() == std::nullopt);
    }
}

TEST_CASE("T172 a refresh replaces the entry and its other suffix, and whoever reads the old file reads on") {
    CacheRig rig;
    const std::string shot = "https://demo.example.com/thumbnail/full/Shot/12";
    Source old({"old", "/x.jpg"}), same({"newer", "/x.jpg"}), other({"newest", "/x.png"});
    const auto first = rig.cache->store(shot, old);
    REQUIRE(first);
    std::ifstream reading(*first);
    REQUIRE(rig.cache->store(shot, same) == *first);
    CHECK(content(*first) == "newer");
    std::ifstream reading_newer(*first);
    const auto second = rig.cache->store(shot, other);
    REQUIRE(second);
    CHECK(second->extension() == ".png");
    CHECK(content(*second) == "newest");
    CHECK_FALSE(fs::exists(*first));
    CHECK(rig.files().size() == 1);
    std::string text;
    reading >> text;
    CHECK(text == "old");
    reading_newer >> text;
    CHECK(text == "newer");
}

TEST_CASE("T172 a refresh leaves what another process has stored since") {
    CacheRig rig;
    Source ours({"ours", "/x.jpg"});
    write_file((rig.root / abc_file).replace_extension(".png"), "theirs");
    set_used((rig.root / abc_file).replace_extension(".png"), rig.clock->utc() + 1h);
    REQUIRE(rig.cache->store(abc, ours));
    CHECK(rig.files().size() == 2);
}

TEST_CASE("T173 a refresh that fails leaves the old entry") {
    CacheRig rig;
    Source old({"old", abc});
    REQUIRE(rig.cache->store(abc, old));
    const auto before = used_at(rig.root / abc_file);
    rig.clock->advance(1h);
    CHECK_FALSE(rig.cache->store(abc, [](const fs::path& to, std::stop_token) -> Result<Fetched> {
        write_file(to, "half");
        return fail(Cause::busy, "500");
    }));
    CHECK(rig.files() == std::vector{abc_file});
    CHECK(content(rig.root / abc_file) == "old");
    CHECK(used_at(rig.root / abc_file) == before);
}
