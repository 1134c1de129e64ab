// What is removed, and what never is.

#include <thread>

#include "retriever_cache/fixture.hpp"
#include "retriever_cache/refused_calls.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mib = 1 << 20;

void make_entry(const fs::path& file, std::uint64_t bytes, std::chrono::system_clock::time_point used) {
    fs::create_directories(file.parent_path());
    std::ofstream{file};
    fs::resize_file(file, bytes);  // takes no room
    set_used(file, used);
}

std::string url_of(int i) { return "https://demo.example.com/" + std::to_string(i) + ".jpg"; }

fs::path thumbnail(const CacheRig& rig, int i) {
    const auto key = FileCache::key(url_of(i));
    return rig.root / "thumbs" / key.substr(0, 2) / key.substr(2, 2) / (key.substr(4) + ".jpg");
}

}  // namespace

TEST_CASE("T179 of more than may be kept the least recently used go") {
    CacheRig rig({.root = {}, .max_bytes = 50 * mib});
    for (int i = 0; i < 100; ++i)
        make_entry(i % 2 == 0
                       ? thumbnail(rig, i)
                       : rig.root / "attachments/30/9d/41180a33b0478509793f29ded7ea" / std::to_string(i),
                   mib, rig.clock->utc() - 10min * (i + 1));
    REQUIRE(rig.cache->find(url_of(98)));
    const auto cleaned = rig.cache->clean();
    REQUIRE(cleaned);
    CHECK(cleaned->files == 50);
    CHECK(cleaned->bytes == 50 * mib);
    CHECK(rig.files().size() == 50);
    for (int i = 0; i < 49; i += 2) CHECK(fs::exists(thumbnail(rig, i)));
    CHECK(fs::exists(thumbnail(rig, 98)));
    CHECK_FALSE(fs::exists(thumbnail(rig, 50)));
    CHECK_FALSE(fs::exists(thumbnail(rig, 50).parent_path()));
    CHECK(rig.cache->clean()->files == 0);
}

TEST_CASE("T180 what nobody has used for too long goes, and nothing outside the three folders") {
    CacheRig rig;
    const auto old = rig.clock->utc() - std::chrono::days{61};
    make_entry(thumbnail(rig, 1), 10, old);
    make_entry(thumbnail(rig, 2), 10, rig.clock->utc() - std::chrono::days{59});
    make_entry(rig.root / "attachments/aa/bb/cc/a.png", 10, old);
    make_entry(rig.root / "tmp/old", 10, rig.clock->utc() - 61min);
    make_entry(rig.root / "tmp/young", 10, rig.clock->utc() - 59min);
    make_entry(rig.root / "schema/old", 10, old);
    make_entry(rig.root / "old", 10, old);
    make_entry(rig.dir / "outside/old", 10, old);
    fs::create_directory_symlink(rig.dir / "outside", thumbnail(rig, 2).parent_path() / "link");
    fs::create_directories(rig.root / "thumbs/00/11");
    const auto cleaned = rig.cache->clean();
    REQUIRE(cleaned);
    CHECK(cleaned->files == 2);
    CHECK(cleaned->bytes == 20);
    CHECK_FALSE(fs::exists(thumbnail(rig, 1)));
    CHECK(fs::exists(thumbnail(rig, 2)));
    CHECK_FALSE(fs::exists(rig.root / "tmp/old"));
    CHECK(fs::exists(rig.root / "tmp/young"));
    CHECK(fs::exists(rig.root / "schema/old"));
    CHECK(fs::exists(rig.root / "old"));
    CHECK(fs::exists(rig.dir / "outside/old"));
    CHECK_FALSE(fs::exists(rig.root / "thumbs/00"));
    CHECK_FALSE(fs::exists(rig.root / "attachments/aa"));
    CHECK(fs::exists(rig.root / "attachments"));
    CHECK(fs::exists(rig.root / "tmp"));
}

TEST_CASE("T181 what was used in the last minute is never removed") {
    CacheRig rig({.root = {}, .max_bytes = 10});
    make_entry(thumbnail(rig, 1), 1000, rig.clock->utc() - 10s);
    CHECK(rig.cache->clean()->files == 0);
    CHECK(fs::exists(thumbnail(rig, 1)));
    rig.clock->advance(1min);
    CHECK(rig.cache->clean()->files == 1);
}

TEST_CASE("T182 limits that make no sense are refused") {
    const auto made = [](FileCacheOptions options) { FileCache{std::move(options)}; };
    CHECK_THROWS_AS(made({.root = "x", .max_age = 0h}), std::invalid_argument);
    CHECK_THROWS_AS(made({.root = "x", .max_age = 23h}), std::invalid_argument);
    CHECK_THROWS_AS(made({.root = "x", .max_bytes = 0}), std::invalid_argument);
    CHECK_NOTHROW(made({.root = "x", .max_bytes = 1, .max_age = 24h}));
}

TEST_CASE("T183 cleaning ends where it is stopped") {
    CacheRig rig({.root = {}, .max_bytes = 1});
    fs::create_directories(rig.root / "tmp");
    for (int i = 0; i < 10'000; ++i)
        make_entry(rig.root / "thumbs/00" / std::to_string(i / 100) / std::to_string(i), 10,
                   rig.clock->utc() - (i % 2 == 0 ? 24h : 24h * 100));
    std::stop_source stop;
    RefusedCalls calls;
    calls.before_moving = [&](const char*) { stop.request_stop(); };
    const auto cleaned = rig.cache->clean(stop.get_token());
    REQUIRE(cleaned);
    CHECK(cleaned->files == 1);
    CHECK(rig.files().size() == 9'999);
}

TEST_CASE("a cache that is not there is no fault of cleaning, and one that cannot be read is") {
    CacheRig rig;
    CHECK(rig.cache->clean()->files == 0);
    CHECK_FALSE(fs::exists(rig.root));
    make_entry(thumbnail(rig, 1), 10, {});
    CHECK(rig.cache->clean()->files == 1);  // also where there is no tmp
    write_file(rig.root / "attachments", "x");
    CHECK_FALSE(rig.cache->clean());
}

TEST_CASE("a file that cannot be removed is passed over") {
    CacheRig rig;
    fs::create_directories(rig.root / "tmp");
    for (const auto* name : {"a", "stays", "z"}) make_entry(rig.root / "thumbs/00/11" / name, 10, {});
    RefusedCalls calls;
    calls.before_moving = [&](const char* name) {
        calls.removing = std::string_view(name) == "stays" ? EPERM : 0;
    };
    CHECK(rig.cache->clean()->files == 2);
    CHECK(rig.files() == std::vector<std::string>{"thumbs/00/11/stays"});
}

TEST_CASE("an entry that is used or replaced while it is being removed stays") {
    CacheRig rig;
    make_entry(thumbnail(rig, 1), 10, {});
    fs::create_directories(rig.root / "tmp");
    FileCache other(rig.options);  // as another process: it knows nothing of this one
    RefusedCalls calls;
    Source source({"new", url_of(1)});
    SECTION("used") {
        calls.before_moving = [&](const char*) {
            const auto running = std::exchange(calls.before_moving, nullptr);
            CHECK(other.find(url_of(1)).value() == thumbnail(rig, 1));
        };
        CHECK(rig.cache->clean()->files == 0);
    }
    SECTION("replaced") {
        calls.before_moving = [&](const char*) {
            const auto running = std::exchange(calls.before_moving, nullptr);
            CHECK(other.store(url_of(1), source) == thumbnail(rig, 1));
        };
        CHECK(rig.cache->clean()->files == 0);
        CHECK(content(thumbnail(rig, 1)) == "new");
    }
    CHECK(rig.cache->find(url_of(1)).value() == thumbnail(rig, 1));
    CHECK(rig.files().size() == 1);
}

TEST_CASE("T197 the folder of a running download stays, and one that is gone is made again") {
    CacheRig rig;
    make_entry(thumbnail(rig, 1), 10, {});
    const auto stored =
        rig.cache->store(url_of(1), [&](const fs::path& to, std::stop_token) -> Result<Fetched> {
            write_file(to, "new");
            CHECK(rig.cache->clean()->files == 0);
            CHECK(fs::exists(thumbnail(rig, 1)));
            fs::remove_all(rig.root / "thumbs");
            return Fetched{url_of(1), "", 3, 3};
        });
    REQUIRE(stored);
    CHECK(content(*stored) == "new");
    CHECK(mode_of(stored->parent_path()) == 0777);
    CHECK(mode_of(rig.root / "thumbs") == 0777);
}

TEST_CASE("T197 a download that ends while its folder is cleaned is there, 2,000 times") {
    CacheRig rig;
    FileCache other(rig.options);
    const bool by_another_process = GENERATE(false, true);
    auto* const cleaner = by_another_process ? &other : &*rig.cache;
    const int rounds = by_another_process ? 500 : 2'000;
    std::atomic<int> round = 0, cleaned = 0;
    std::jthread cleaning([&] {
        for (int i = 1; i <= rounds; ++i) {
            while (round < i) round.wait(i - 1);
            (void)cleaner->clean();
            cleaned = i;
            cleaned.notify_all();
        }
    });
    Source source({"new", url_of(1)});
    int missing = 0, wrong = 0;
    for (int i = 1; i <= rounds; ++i) {
        if (i % 3 != 0)
            make_entry(thumbnail(rig, 1), 10, {});  // goes, if it is not replaced before
        else if (i % 2 != 0)
            fs::remove(thumbnail(rig, 1));
        round = i;
        round.notify_all();
        const auto stored = rig.cache->store(url_of(1), source);
        while (cleaned < i) cleaned.wait(i - 1);
        if (!stored || !fs::exists(*stored))
            ++missing;
        else if (content(*stored) != "new")
            ++wrong;
    }
    CHECK(missing == 0);
    CHECK(wrong == 0);
    cleaning.join();
    CHECK(rig.files().size() == 1);
}

TEST_CASE("cleaning is due again once a sixteenth of the limit was stored") {
    CacheRig rig({.root = {}, .max_bytes = 160});
    Source source({"12345", "/x.jpg"});
    CHECK_FALSE(rig.cache->wants_cleaning());
    REQUIRE(rig.cache->store(url_of(1), source));
    REQUIRE(rig.cache->store(url_of(2), source));
    CHECK_FALSE(rig.cache->wants_cleaning());
    FileCache copy = *rig.cache;
    REQUIRE(copy.store_attachment({{"id", 1}}, source));
    CHECK(rig.cache->wants_cleaning());
    std::stop_source stop;
    stop.request_stop();
    REQUIRE(rig.cache->clean(stop.get_token()));
    CHECK(rig.cache->wants_cleaning());
    REQUIRE(rig.cache->clean());
    CHECK_FALSE(copy.wants_cleaning());
}
