// What the schema cache keeps on disk.

#include "retriever_cache/schema_fixture.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

TEST_CASE("what was loaded is there after a restart, without asking, and is loaded anew once it is old") {
    SchemaRig rig;
    rig.cache->schema(7);
    rig.cache->statuses();
    rig.loader.next()(schema_named("old"));
    rig.loader.next()(json::array());
    rig.reopen();
    REQUIRE(rig.cache->schema(7) != nullptr);
    CHECK(*rig.cache->statuses() == json::array());
    CHECK(rig.asked() == 2);
    rig.clock->advance(59min);
    CHECK(rig.cache->type_name("Shot", 7) == "old");
    CHECK(rig.asked() == 2);
    SECTION("in memory") {}
    SECTION("on disk") { rig.reopen(); }
    rig.clock->advance(1min);
    CHECK(rig.cache->type_name("Shot", 7) == "old");
    CHECK(rig.cache->type_name("Shot", 7) == "old");
    CHECK(rig.asked() == 3);
    rig.cache->when_schema(7, rig.waiter());
    CHECK(rig.known == std::vector{schema_named("old")});
    rig.loader.next()(schema_named("new"));
    CHECK(rig.cache->type_name("Shot", 7) == "new");
    rig.reopen();
    CHECK(rig.cache->type_name("Shot", 7) == "new");
    CHECK(rig.asked() == 3);
    CHECK(rig.known.size() == 1);
}

TEST_CASE("a damaged file is a miss, said once, and one of another version is a miss") {
    SchemaRig rig;
    rig.cache->schema(7);
    rig.loader.next()(schema_named("kept"));
    const auto file = rig.file("project-7");
    auto bytes = content(file);
    REQUIRE(bytes.starts_with("sgeventd-document 1 "));
    std::size_t lines = 1;
    SECTION("cut") { bytes.resize(bytes.size() - 1); }
    SECTION("cut in its head") { bytes.resize(10); }
    SECTION("empty") { bytes.clear(); }
    SECTION("one byte is another") { bytes[bytes.find("kept")] = 'w'; }
    SECTION("its time is another") { ++bytes[bytes.find('\n') + 1]; }
    SECTION("something follows it") { bytes += ' '; }
    SECTION("that of something else") {
        rig.cache->statuses();
        rig.loader.next()(json::array());
        bytes = content(rig.file("statuses"));
    }
    SECTION("a newer version") {
        bytes.replace(bytes.find('1'), 1, "2");
        lines = 0;
    }
    SECTION("not there") {
        fs::remove(file);
        lines = 0;
    }
    if (fs::exists(file)) write_file(file, bytes);
    const auto before = rig.asked();
    rig.reopen();
    CHECK(rig.cache->schema(7) == nullptr);
    CHECK(rig.cache->schema(7) == nullptr);
    CHECK(rig.log.count("[SCHEMA-CACHE-DAMAGED]") == lines);
    CHECK(rig.log.lines().size() == lines);
    rig.reopen();
    CHECK(rig.cache->schema(7) == nullptr);
    CHECK(rig.log.lines().size() == lines);
    CHECK(rig.asked() == before + 2);
    rig.loader.next();
    rig.loader.next()(schema_named("again"));
    CHECK(rig.cache->type_name("Shot", 7) == "again");
    rig.reopen();
    CHECK(rig.cache->type_name("Shot", 7) == "again");
}

TEST_CASE("a disk that refuses costs the file and nothing else") {
    SchemaRig rig;
    write_file(rig.options.root / "schema", "in the way");
    rig.cache->schema();
    rig.loader.next()(schema_named("a"));
    CHECK(rig.cache->type_name("Shot") == "a");
    CHECK(rig.log.count("[SCHEMA-NOT-KEPT]") == 1);
    CHECK(fs::is_empty(rig.options.root / "tmp"));
}

TEST_CASE("files of the schema have the cache's modes, and cleaning the cache leaves them") {
    SchemaRig rig;
    rig.cache->schema();
    rig.loader.next()(schema_named("a"));
    CHECK(mode_of(rig.file("project-0")) == 0666);
    CHECK(mode_of(rig.file("")) == 0777);
    CHECK(fs::is_empty(rig.options.root / "tmp"));
    rig.clock->advance(24h * 100);
    FileCacheOptions files;
    files.root = rig.options.root;
    files.clock = rig.clock;
    REQUIRE(FileCache(files).clean());
    CHECK(fs::exists(rig.file("project-0")));
}

TEST_CASE("schemas beyond a number are left to the disk") {
    SchemaCacheOptions options;
    options.most_in_memory = 2;
    SchemaRig rig(options);
    for (const auto project : {1, 2, 3}) {
        rig.cache->schema(project);
        rig.loader.next()(schema_named(std::to_string(project)));
    }
    CHECK(rig.cache->type_name("Shot", 2) == "2");
    fs::remove_all(rig.file(""));
    CHECK(rig.cache->type_name("Shot", 2) == "2");
    CHECK(rig.cache->type_name("Shot", 3) == "3");
    CHECK(rig.asked() == 3);
    CHECK(rig.cache->type_name("Shot", 1) == "Shot");
    CHECK(rig.asked() == 4);
}
