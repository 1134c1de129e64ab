// What is left in the daemon of builds that have served in one of its threads.

#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace mapped_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

fs::path built(const std::string& name) { return fs::path(SG_BAD_PLUGINS) / "plugins" / (name + ".so"); }

/// A library of a plugin in a process: the generation whose copy it is, and the file's name.
using Library = std::pair<int, std::string>;

std::set<Library> mapped_into(int pid) {
    const std::regex copy(R"(/plugin\.([0-9]+)\.[0-9a-f]{8}/(?:plugin\.libs/)?([^/ ]+))");
    std::istringstream maps(read_file("/proc/" + std::to_string(pid) + "/maps"));
    std::set<Library> found;
    std::smatch match;
    for (std::string line; std::getline(maps, line);)
        if (std::regex_search(line, match, copy)) found.emplace(std::stoi(match[1]), match[2]);
    return found;
}

class InThread {
public:
    explicit InThread(const fs::path& first)
        : home(site, {{"plugin", first, {{"journal", "@DIR@/journal"}}, {{"isolation", "thread"}}}},
               {{"reload", {{"interval", "100ms"}, {"settle", "100ms"}}}}) {
        site.add_event(event(100));
    }
    void start() {
        daemon = std::make_unique<Daemon>(home);
        REQUIRE(daemon->wait_until_followed({"plugin"}));
    }
    fs::path journal() const { return home.path() / "journal"; }
    /// A build that differs from any other: bytes behind the end of a library are nobody's.
    void replace(const fs::path& library) {
        const auto beside = home.path() / "plugins/.new";
        fs::copy_file(library, beside, fs::copy_options::overwrite_existing);
        std::ofstream(beside, std::ios::app | std::ios::binary) << "build " << ++generation;
        fs::rename(beside, home.path() / "plugins/plugin.so");
        REQUIRE(
            daemon->wait_for_log("[PLUGIN-READY] Plugin is ready. generation=" + std::to_string(generation)));
    }
    void handle(const std::string& type) {
        auto spec = event(++last);
        spec.event_type = type;
        site.add_event(spec);
        REQUIRE(wait_for(
            [&] { return read_file(journal()).find(std::to_string(last) + " v") != std::string::npos; },
            60s));
    }
    bool wait_mapped(const std::set<Library>& libraries) const {
        return wait_for([&] { return mapped_into(daemon->pid()) == libraries; }, 60s);
    }

    sandbox::Site site;
    Home home;
    std::unique_ptr<Daemon> daemon;
    std::int64_t last = 100;
    int generation = 1;
};

}  // namespace

TEST_CASE("C103 a build that served in a thread is unloaded from the daemon when the next one serves") {
    InThread it(built("version_1"));
    it.start();
    it.handle("Any");
    INFO(it.daemon->log());
    CHECK(it.wait_mapped({{1, "plugin.so"}}));
    for (int number = 2; number <= 4; ++number) {
        it.replace(built("version_" + std::to_string(number % 2 + 1)));
        it.handle("Any");
        CHECK(it.wait_mapped({{number, "plugin.so"}}));
    }
    CHECK(it.daemon->count_in_log("[LIBRARY-STAYS]") == 0);
    CHECK(it.daemon->terminate() == Ended{0, 0});
}

TEST_CASE("a build whose callbacks used a thread_local object is unloaded like any other") {
    InThread it(built("lingers"));
    it.start();
    it.handle("Local");
    INFO(it.daemon->log());
    it.replace(built("lingers"));
    it.handle("Local");
    CHECK(it.wait_mapped({{2, "plugin.so"}}));
    CHECK(it.daemon->count_in_log("[LIBRARY-STAYS]") == 0);
}

TEST_CASE("a build whose own thread lives on stays until that has ended, and is named") {
    InThread it(built("lingers"));
    it.start();
    it.handle("Linger");
    INFO(it.daemon->log());
    it.replace(built("lingers"));
    it.handle("Any");
    REQUIRE(it.daemon->wait_for_log("[LIBRARY-STAYS]"));
    CHECK(it.daemon->count_in_log("generation=1 build=") >= 1);
    CHECK(it.daemon->count_in_log("library=plugin.so why=a thread of its own has not ended") == 1);
    CHECK(mapped_into(it.daemon->pid()) == std::set<Library>{{1, "plugin.so"}, {2, "plugin.so"}});

    std::ofstream(it.journal().string() + ".open") << "go\n";
    // The loader looks again whenever a library is unloaded.
    REQUIRE(wait_for(
        [&] {
            it.replace(built("lingers"));
            it.handle("Any");
            return it.wait_mapped({{it.generation, "plugin.so"}});
        },
        120s));
    CHECK(it.daemon->count_in_log("[LIBRARY-STAYS]") == 1);
    CHECK(it.daemon->terminate() == Ended{0, 0});
}

#ifndef __clang__
TEST_CASE("a library with symbols that are unique in a process stays, and is named with one of them") {
    InThread it(built("with_helper"));
    const auto libraries = it.home.path() / "plugins/plugin.libs";
    fs::create_directories(libraries);
    fs::copy_file(fs::path(SG_BAD_PLUGINS) / "helper_1/libhelper.so", libraries / "libhelper.so");
    it.start();
    it.handle("Any");
    INFO(it.daemon->log());
    it.replace(built("with_helper"));
    it.handle("Any");
    REQUIRE(it.daemon->wait_for_log("[LIBRARY-STAYS]"));
    CHECK(it.daemon->count_in_log("library=libhelper.so why=it has symbols that are unique in a process") ==
          1);
    CHECK(it.daemon->count_in_log("such as _ZN6Shared") == 1);
    CHECK(it.wait_mapped({{1, "libhelper.so"}, {2, "plugin.so"}}));
    CHECK(it.daemon->count_in_log("[LIBRARY-STAYS]") == 1);
}
#endif

}  // namespace mapped_test
