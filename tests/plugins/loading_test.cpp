// Which files are loaded, and what is said about those that are not.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

std::string read(const fs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return out.str();
}

std::string patched(std::string bytes, const std::string& from, const std::string& to) {
    const auto at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(from.size() == to.size());
    return bytes.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("C11 of two files with one plugin id the first runs, and the error names both") {
    Rig rig({"good"});
    fs::create_directories(rig.dir / "more");
    fs::copy_file(Rig::built("good"), rig.dir / "more/good.so");
    fs::copy_file(Rig::built("registers_nothing"), rig.dir / "more/another.so");
    rig.options.collections.push_back(rig.dir / "more");
    rig.start();
    REQUIRE(rig.wait([&] { return rig.owner.ready.size() == 2; }));
    CHECK(rig.found == std::vector<std::string>{"good", "another"});
    CHECK(rig.log.count("[PLUGIN-TWICE]") == 1);
    CHECK(rig.log.all().find((rig.dir / "plugins/good.so").string()) != std::string::npos);
    CHECK(rig.log.all().find((rig.dir / "more/good.so").string()) != std::string::npos);
    CHECK(rig.set->status().front().file == rig.dir / "plugins/good.so");
}

TEST_CASE("plugins are found in the order of their file names, byte by byte") {
    Rig rig;
    for (const char* name : {"a", "Z", "a-b", "a_b", "a1", "A"}) rig.add("registers_nothing", name);
    rig.start();
    REQUIRE(rig.wait([&] { return rig.found.size() == 6; }));
    CHECK(rig.found == std::vector<std::string>{"A", "Z", "a-b", "a", "a1", "a_b"});
}

TEST_CASE("C111 what cannot be a plugin is skipped with at most one warning each") {
    Rig rig({"good"});
    fs::create_directories(rig.dir / "plugins/directory.so");
    fs::create_symlink(rig.dir / "nowhere", rig.dir / "plugins/dangling.so");
    write(rig.dir / "plugins/empty.so", "");
    write(rig.dir / "plugins/text.so", "#!/bin/sh\n");
    write(rig.dir / "plugins/.hidden.so", "secret");
    write(rig.dir / "plugins/notes.txt", "secret");
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    CHECK(rig.found == std::vector<std::string>{"good"});
    CHECK(rig.log.count("[PLUGIN-SKIPPED]") == 4);
    for (const char* name : {"directory.so", "dangling.so", "empty.so", "text.so"})
        CHECK(rig.log.count(name) == 1);
    CHECK(rig.log.count("hidden") == 0);
    CHECK(rig.log.count("notes") == 0);
}

TEST_CASE("a directory that cannot be read is said, and the others count") {
    Rig rig({"good"});
    rig.options.collections.insert(rig.options.collections.begin(), rig.dir / "missing");
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    CHECK(rig.log.count("[COLLECTION-UNREADABLE]") == 1);
}

TEST_CASE("C73 each kind of broken plugin has a message of its own, and the others run") {
    Rig rig({"good", "no_entry", "throws_in_registration", "bad_policy"});
    // A linker under a sanitizer leaves no symbol unchecked in its own way; the loader's message is the same.
    rig.add("missing_symbol");
    const auto whole = read(Rig::built("good"));
    write(rig.dir / "plugins/half.so", whole.substr(0, whole.size() / 2));
    write(rig.dir / "plugins/wrong_version.so", patched(whole, "api=1.2;", "api=9.2;"));
    write(rig.dir / "plugins/wrong_json.so", patched(whole, ";json=3.", ";json=2."));
    write(rig.dir / "plugins/wrong_string.so", patched(whole, "cxx11=1", "cxx11=0"));
    write(rig.dir / "plugins/not_a_library.so",
          "\x7f"
          "ELF, but no more than that");
    rig.start();
    REQUIRE(rig.wait([&] { return rig.owner.refusals.size() >= 9 && rig.owner.ready.contains("good"); }));
    INFO(rig.everything_logged());
    const auto refused = [&](const std::string& plugin, const std::string& why) {
        INFO(plugin);
        const auto* refusal = rig.owner.refusal_of(plugin);
        REQUIRE(refusal != nullptr);
        INFO(refusal->why.message);
        CHECK_FALSE(refusal->will_retry);
        CHECK(refusal->why.message.find(why) != std::string::npos);
        CHECK(rig.logs[plugin].count("[PLUGIN-REFUSED]") == 1);
        CHECK(rig.logs[plugin].count(plugin + ".so") == 1);
    };
    refused("no_entry", "no entry point");
    refused("throws_in_registration", "std::runtime_error: no config for the farm");
    refused("bad_policy", "callback 'strict': a concurrency is from 1 to 64");
    refused("missing_symbol", "undefined symbol");
    refused("half", "not complete");
    refused("wrong_version", "see api: the plugin has [api=9.2;");
    refused("wrong_json", "see json: the plugin has [");
    refused("wrong_string", "see stdlib: the plugin has [");
    refused("not_a_library", "not complete");
    rig.deliver("good", 101);
    CHECK(rig.wait_outcomes("good", 1));
}

TEST_CASE("C74 a plugin that registers nothing is active with no callbacks") {
    Rig rig({"registers_nothing"});
    rig.start();
    REQUIRE(rig.wait_ready("registers_nothing"));
    CHECK(rig.owner.ready["registers_nothing"]->callbacks().empty());
    const auto status = rig.set->status().front();
    CHECK(status.stage == plugins::Stage::serving);
    CHECK(status.callbacks == 0);
    CHECK(rig.logs["registers_nothing"].count("[PLUGIN-IDLE]") == 1);
    CHECK(rig.wait([&] { return rig.logs["registers_nothing"].count("nothing to do here") == 1; }));
}

TEST_CASE("C72 a registration that meets a dead site is tried again until it answers") {
    Rig rig({"asks_site"});
    int asked = 0;
    rig.site.answer = [&](const host::SiteRequest&) -> host::SiteAnswer {
        if (++asked < 2) return fail(Cause::network, "connection refused");
        return std::string("[]");
    };
    rig.start();
    REQUIRE(rig.wait([&] { return !rig.owner.refusals.empty(); }));
    CHECK(rig.owner.refusals.front().will_retry);
    CHECK(rig.owner.refusals.front().why.message.find("connection refused") != std::string::npos);
    CHECK(to_string(rig.set->status().front().stage) == "retrying to load");
    REQUIRE(rig.wait_ready("asks_site"));
    CHECK(rig.set->status().front().stage == plugins::Stage::serving);
    CHECK(rig.set->status().front().alerts == nlohmann::json{"td@example.com"});
}

TEST_CASE("what runs is a private copy, and none is left behind") {
    Rig rig({"good"});
    fs::create_directories(rig.dir / "cache/good.7.01234567");
    write(rig.dir / "cache/good.7.01234567/good.so", "left by a daemon that was killed");
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    std::vector<fs::path> copies(fs::directory_iterator(rig.dir / "cache"), {});
    REQUIRE(copies.size() == 1);
    const auto build = rig.owner.ready["good"]->build();
    CHECK(copies[0].filename() == "good.1." + build.substr(0, 8));
    CHECK((fs::status(copies[0] / "good.so").permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_exec));
    // Overwritten in place, as `cp` does it: the running build does not notice.
    write(rig.dir / "plugins/good.so", "garbage");
    rig.deliver("good", 1);
    CHECK(rig.wait_outcomes("good", 1));
    bool stopped = false;
    rig.set->stop(5s, [&](plugins::StopReport) { stopped = true; });
    REQUIRE(rig.wait([&] { return stopped; }));
    rig.owner.ready.clear();
    rig.set.reset();
    CHECK(fs::is_empty(rig.dir / "cache"));
}
