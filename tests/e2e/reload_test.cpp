// Plugins that change, come and go while the daemon runs.

#include <sstream>

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::Daemon;
using test::event;
using test::Home;
using test::wait_for;

namespace fs = std::filesystem;

namespace {

using Ids = std::vector<std::int64_t>;

fs::path built(const std::string& name) { return fs::path(SG_BAD_PLUGINS) / "plugins" / (name + ".so"); }

fs::path version(int number) { return built("version_" + std::to_string(number)); }

/// A site, a daemon and one plugin that writes down which version of it ran each event.
class Reloading {
public:
    explicit Reloading(const fs::path& first = version(1)) {
        site.add_event(event(100));
        home = std::make_unique<Home>(
            site,
            std::vector<test::TestPlugin>{
                {"plugin", first, {{"journal", "@DIR@/journal"}}, nlohmann::json::object()},
                test::recorder()},
            // With the slash that people leave at the end of a directory.
            nlohmann::json{{"collections", {"plugins/"}},
                           {"reload", {{"interval", "100ms"}, {"settle", "100ms"}}}});
    }
    void start() {
        daemon = std::make_unique<Daemon>(*home);
        REQUIRE(daemon->wait_until_followed({"plugin", "recorder"}));
    }
    fs::path file() const { return home->path() / "plugins/plugin.so"; }
    fs::path journal() const { return home->path() / "journal"; }

    /// As careful people do it: beside it, and then renamed.
    void install(const fs::path& library) const {
        const auto beside = home->path() / "plugins/.plugin.so.new";
        fs::copy_file(library, beside, fs::copy_options::overwrite_existing);
        fs::rename(beside, file());
    }

    std::int64_t add(const std::string& type = "Shotgun_Shot_Change") {
        auto spec = event(++last);
        spec.event_type = type;
        site.add_event(spec);
        return last;
    }

    std::vector<std::string> lines() const {
        std::istringstream in(test::read_file(journal()));
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    }
    bool said(const std::string& line) const {
        const auto all = lines();
        return std::find(all.begin(), all.end(), line) != all.end();
    }
    bool wait_said(std::int64_t id, const std::string& who) const {
        return wait_for([&] { return said(std::to_string(id) + " " + who); }, 60s);
    }
    /// Adds events one after another, each when the one before was handled, until `who` handles one.
    bool feed_until(const std::string& who) {
        return wait_for(
            [&] {
                const auto id = std::to_string(add());
                wait_for([&] { return said(id + " v1") || said(id + " v2") || said(id + " v3"); }, 60s);
                return said(id + " " + who);
            },
            60s);
    }
    /// Each event that was added is there once, in order.
    bool is_whole() const {
        Ids ids, wanted;
        for (const auto& line : lines())
            if (line.find("held") == std::string::npos) ids.push_back(std::stoll(line));
        for (std::int64_t id = 101; id <= last; ++id) wanted.push_back(id);
        return ids == wanted;
    }

    sandbox::Site site;
    std::unique_ptr<Home> home;
    std::unique_ptr<Daemon> daemon;
    std::int64_t last = 100;
};

}  // namespace

TEST_CASE("C99 a plugin that is replaced handles the next event in its new version") {
    Reloading it;
    it.start();
    REQUIRE(it.feed_until("v1"));
    it.install(version(2));
    INFO(it.daemon->log());
    CHECK(it.feed_until("v2"));
    REQUIRE(it.feed_until("v2"));
    CHECK(it.is_whole());
    CHECK(wait_for([&] { return it.daemon->hosts().size() == 2; }, 60s));  // the old host has ended
}

TEST_CASE("C100 a plugin overwritten in place bit by bit serves until the file is whole") {
    Reloading it;
    it.start();
    REQUIRE(it.feed_until("v1"));
    const auto bytes = test::read_file(version(2));
    {
        std::ofstream out(it.file(), std::ios::binary | std::ios::trunc);
        const std::size_t part = bytes.size() / 8 + 1;
        for (std::size_t at = 0; at < bytes.size(); at += part) {
            out << bytes.substr(at, part) << std::flush;
            const auto id = it.add();
            INFO(it.daemon->log());
            REQUIRE(it.wait_said(id, "v1"));
        }
    }
    INFO(it.daemon->log());
    CHECK(it.feed_until("v2"));
    CHECK(it.is_whole());
    CHECK(it.daemon->count_in_log("[HOST-DIED]") == 0);
}

TEST_CASE("C101 an older file that comes back is loaded, and so is one rewritten in the same second") {
    Reloading it;
    const auto old_time = fs::last_write_time(it.file());
    it.start();
    REQUIRE(it.feed_until("v1"));
    it.install(version(2));
    REQUIRE(it.feed_until("v2"));
    fs::copy_file(version(1), it.file(), fs::copy_options::overwrite_existing);
    fs::last_write_time(it.file(), old_time);
    INFO(it.daemon->log());
    CHECK(it.feed_until("v1"));
    it.install(version(3));
    it.install(version(2));
    CHECK(it.feed_until("v2"));
    CHECK(it.is_whole());
}

TEST_CASE("C102 a build that cannot be loaded leaves the working one alone") {
    Reloading it;
    it.start();
    REQUIRE(it.feed_until("v1"));
    it.install(built("no_entry"));
    INFO(it.daemon->log());
    REQUIRE(it.daemon->wait_for_log("the earlier build goes on"));
    REQUIRE(it.feed_until("v1"));
    it.install(built("throws_in_registration"));
    REQUIRE(it.daemon->wait_for_log("the earlier build goes on", 2));
    REQUIRE(it.feed_until("v1"));
    it.install(version(3));
    CHECK(it.feed_until("v3"));
    CHECK(it.is_whole());
}

TEST_CASE("C103 a call that runs while its plugin is replaced ends in the old version") {
    Reloading it;
    it.start();
    const auto held = it.add("Hold");
    REQUIRE(it.wait_said(held, "v1"));
    const auto next = it.add();
    it.install(version(2));
    INFO(it.daemon->log());
    REQUIRE(it.daemon->wait_for_log("generation=2"));
    CHECK_FALSE(it.said(std::to_string(next) + " v2"));
    std::ofstream(it.journal().string() + ".open") << "go\n";
    REQUIRE(it.wait_said(next, "v2"));
    CHECK(it.said(std::to_string(held) + " held by v1"));
    CHECK(it.is_whole());
    CHECK(wait_for([&] { return it.daemon->hosts().size() == 2; }, 60s));
}

TEST_CASE("C105 a plugin whose own library changes is loaded with the new one") {
    Reloading it(built("with_helper"));
    const auto helper = [&](int number) {
        const auto libraries = it.home->path() / "plugins/plugin.libs";
        fs::create_directories(libraries);
        const auto from = fs::path(SG_BAD_PLUGINS) / ("helper_" + std::to_string(number)) / "libhelper.so";
        fs::copy_file(from, libraries / ".new", fs::copy_options::overwrite_existing);
        fs::rename(libraries / ".new", libraries / "libhelper.so");
    };
    helper(1);
    it.start();
    INFO(it.daemon->log());
    REQUIRE(it.feed_until("v1"));
    helper(2);
    CHECK(it.feed_until("v2"));
    CHECK(it.is_whole());
}

TEST_CASE("C106 SIGHUP loads every plugin anew, changed or not") {
    Reloading it;
    it.start();
    REQUIRE(it.feed_until("v1"));
    it.daemon->signal(SIGHUP);
    INFO(it.daemon->log());
    REQUIRE(it.daemon->wait_for_log("[PLUGIN-READY] Plugin is ready. generation=2", 2));
    CHECK(it.feed_until("v1"));
    CHECK(it.is_whole());
}

TEST_CASE("C109 a plugin whose file is deleted ends what it runs and goes on where it was") {
    Reloading it;
    it.start();
    const auto held = it.add("Hold");
    REQUIRE(it.wait_said(held, "v1"));
    for (int i = 0; i < 50; ++i) it.add();
    fs::remove(it.file());
    INFO(it.daemon->log());
    REQUIRE(it.daemon->wait_for_log("[PLUGIN-GONE]"));
    std::ofstream(it.journal().string() + ".open") << "go\n";
    REQUIRE(it.wait_said(held, "held by v1"));
    REQUIRE(wait_for([&] { return it.daemon->hosts().size() == 1; }, 60s));
    CHECK(it.lines().size() < 50);  // what the process had in hand may have run before it heard
    it.install(version(1));
    REQUIRE(it.wait_said(it.last, "v1"));
    CHECK(it.is_whole());
    CHECK(it.daemon->count_in_log("[PLUGIN-GONE]") == 1);
}

TEST_CASE("C110 a plugin directory that goes away and comes back costs nothing") {
    Reloading it;
    it.start();
    REQUIRE(it.feed_until("v1"));
    const auto directory = it.home->path() / "plugins", away = it.home->path() / "away";
    INFO(it.daemon->log());
    std::size_t times = 0;
    const auto unreadable = [&] {
        ++times;
        REQUIRE(it.daemon->wait_for_log("[COLLECTION-UNREADABLE]", times));
        REQUIRE(it.feed_until("v1"));
    };
    const auto restored = [&] {
        REQUIRE(it.daemon->wait_for_log("[COLLECTION-READABLE]", times));
        REQUIRE(it.feed_until("v1"));
    };
    fs::rename(directory, away);
    unreadable();
    fs::create_directory(directory);  // as after an unmount: nothing in it
    REQUIRE(it.feed_until("v1"));
    fs::remove(directory);
    fs::rename(away, directory);
    restored();
    fs::rename(directory, away);
    std::ofstream(directory) << "a file\n";
    unreadable();
    fs::remove(directory);
    fs::rename(away, directory);
    restored();
    CHECK(it.is_whole());
    CHECK(it.daemon->count_in_log("[PLUGIN-GONE]") == 0);
    CHECK(it.daemon->count_in_log("[COLLECTION-UNREADABLE]") == times);
}

TEST_CASE("a plugin dropped into a collection runs") {
    Reloading it;
    it.start();
    fs::copy_file(version(2), it.home->path() / "plugins/.late");
    fs::rename(it.home->path() / "plugins/.late", it.home->path() / "plugins/late.so");
    INFO(it.daemon->log());
    REQUIRE(it.daemon->wait_for_log("[PLUGIN-FOUND]"));
    REQUIRE(it.daemon->wait_until_followed({"late"}));
    CHECK(it.feed_until("v1"));
}
