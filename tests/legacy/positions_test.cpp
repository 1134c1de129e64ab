// The old position file, written by Python, read by the real program.

#include "legacy/old_positions.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "legacy/pickle.hpp"
#include "legacy/python.hpp"
#include "logging/logging.hpp"

using namespace sg;
using nlohmann::json;
using test::Ended;
using test::has;

namespace {

/// A configuration with plugins, and a place for the old file.
class Studio {
public:
    Studio() {
        for (const auto* folder : {"first", "second"}) std::filesystem::create_directory(dir / folder);
        std::ofstream(dir / "c.yaml")
            << "site: {url: 'http://127.0.0.1:9', credential: d}\ncredentials: {d: {script: s, key: k}}\n"
               "collections: [first, second]\nstate_dir: state\n";
    }
    void add_plugin(const std::string& file) {
        std::ofstream(dir / file) << "\x7f"
                                     "ELF, as far as anybody looks";
    }
    std::string folder(const std::string& name) const { return (dir / name).string(); }
    std::string old() const { return (dir / "old.id").string(); }

    void write_old(int protocol, const json& state) {
        const auto ran =
            test::python(dir.path(), "write_positions.py", {old(), std::to_string(protocol), state.dump()});
        INFO(ran.err);
        REQUIRE(ran.ended == Ended{0, 0});
    }
    test::Ran import(std::vector<std::string> more = {}) {
        more.insert(more.begin(),
                    {SG_PROGRAM, "import", "positions", old(), "--config", (dir / "c.yaml").string()});
        return test::run_to_end(more, dir.path(), {"TZ=Europe/Berlin"});
    }
    /// What a daemon would begin with.
    checkpoint::Snapshot stored() {
        auto log = logging::Logging::open({});
        checkpoint::Store::Options options;
        options.directory = dir / "state";
        options.as = checkpoint::Store::As::visitor;
        SystemClock clock;
        auto store = checkpoint::Store::open(options, clock, (*log)->engine());
        REQUIRE(store);
        return (*store)->snapshot();
    }

    test::TempDir dir;
};

checkpoint::Instant utc(int hour, int minute) {
    using namespace std::chrono;
    return sys_days{year{2025} / 7 / 14} + hours(hour) + minutes(minute);
}

/// Two collections; ids 95, 96 and 98 are missing for `a`, nothing for `b`.
json two_collections(const Studio& studio) {
    return {
        {studio.folder("first"),
         {{"a",
           {100,
            {{"95", "2025-07-14 12:00:00"}, {"96", "2025-07-14 12:01:00"}, {"98", "2025-07-14 12:02:00"}}}}}},
        {studio.folder("second"), {{"b", {4'294'967'296, json::object()}}}}};
}

void check_two_collections(Studio& studio) {
    const auto stored = studio.stored();
    CHECK(stored.highest_seen == 4'294'967'296);
    CHECK(stored.clean);
    CHECK(stored.pending.empty());
    REQUIRE(stored.plugins.size() == 2);
    CHECK(stored.plugins.at("a").cursor == 100);
    CHECK(stored.plugins.at("a").start == 94);  // so that what it waits for is its own
    CHECK(stored.plugins.at("b").cursor == 4'294'967'296);
    CHECK(stored.plugins.at("b").start == 4'294'967'296);
    // Local time of Berlin in summer.
    CHECK(stored.gaps == std::vector<checkpoint::Gap>{{95, 96, utc(10, 1)}, {98, 98, utc(10, 2)}});
}

}  // namespace

TEST_CASE("C18 positions of protocol 2 are taken over, and open backlog ids become gaps") {
    Studio studio;
    studio.add_plugin("first/a.so");
    studio.add_plugin("second/b.so");
    studio.write_old(2, two_collections(studio));

    const auto tried = studio.import({"--dry-run"});
    CHECK(tried.ended == Ended{0, 0});
    CHECK(has(tried.out, "nothing was written"));
    CHECK_FALSE(std::filesystem::exists(studio.dir / "state" / "state.db"));

    const auto ran = studio.import();
    INFO(ran.out << ran.err);
    REQUIRE(ran.ended == Ended{0, 0});
    CHECK(has(ran.out, "a  goes on after event 100\n"));
    CHECK(has(ran.out, "ids 95 to 96 are waited for until 2025-07-14 10:01:00 UTC"));
    CHECK_FALSE(has(ran.out, "note:"));
    check_two_collections(studio);
    CHECK((std::filesystem::status(studio.dir / "state").permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);

    const auto again = studio.import();
    CHECK(again.ended == Ended{65, 0});
    CHECK(has(again.err, "holds positions already; nothing was changed"));
    check_two_collections(studio);
}

TEST_CASE("C18 positions as Python 2 wrote them are taken over") {
    Studio studio;
    studio.add_plugin("first/a.so");
    using namespace std::string_literals;
    const auto path = studio.folder("first");
    std::ofstream(studio.old(), std::ios::binary)
        << "\x80\x02}q\x01U"s << static_cast<char>(path.size()) << path
        << "q\x02}q\x03U\x01"
           "aq\x04K\x64}q\x05K_cdatetime\ndatetime\nq\x06U\n\x07\xe9\x07\x0e\x0c\x00\x00\x00\x00\x00q\x07"s
           "\x85Rq\x08s\x86q\x09ss."s;
    const auto ran = studio.import();
    INFO(ran.out << ran.err);
    REQUIRE(ran.ended == Ended{0, 0});
    CHECK(studio.stored().plugins.at("a").cursor == 100);
    CHECK(studio.stored().gaps == std::vector<checkpoint::Gap>{{95, 95, utc(10, 0)}});
}

TEST_CASE("C19 positions of protocols 3 to 5 are taken over, and a plugin without one is named") {
    for (const int protocol : {3, 4, 5}) {
        DYNAMIC_SECTION("protocol " << protocol) {
            Studio studio;
            studio.add_plugin("first/a.so");
            studio.add_plugin("second/b.so");
            auto state = two_collections(studio);
            state[studio.folder("first")]["new"] = {nullptr, json::object()};
            studio.write_old(protocol, state);
            const auto ran = studio.import();
            INFO(ran.out << ran.err);
            REQUIRE(ran.ended == Ended{0, 0});
            CHECK(has(ran.out, "note: new has no position in the file: it begins as its `start` says"));
            check_two_collections(studio);
        }
    }
}

TEST_CASE("C19 thousands of plugins and ids, as memoized and framed as they come, are taken over") {
    Studio studio;
    auto state = json::object();
    for (int i = 0; i < 2000; ++i)
        state["/old"]["plugin" + std::to_string(i)] = {1000 + i,
                                                       {{std::to_string(900 + i), "2025-07-14 12:00:00"}}};
    for (const int protocol : {2, 4}) {
        studio.write_old(protocol, state);
        const auto ran = studio.import({"--plugin", "plugin7", "--plugin", "plugin1999", "--dry-run"});
        INFO(ran.err);
        CHECK(ran.ended == Ended{0, 0});
        CHECK(has(ran.out, "plugin1999  goes on after event 2999\n"));
        CHECK(has(ran.out, "plugin7     goes on after event 1007\n"));
        CHECK(has(ran.out, "ids 2899 to 2899 are waited for"));
        CHECK_FALSE(has(ran.out, "plugin8 "));
    }
}

TEST_CASE("C20 the one number of the oldest files is every plugin's position") {
    Studio studio;
    std::ofstream(studio.old()) << "340306\n";
    CHECK(studio.import().ended == Ended{65, 0});  // there is nobody to give it to
    studio.add_plugin("first/a.so");
    studio.add_plugin("second/b.so");
    const auto ran = studio.import();
    INFO(ran.out << ran.err);
    REQUIRE(ran.ended == Ended{0, 0});
    const auto stored = studio.stored();
    CHECK(stored.highest_seen == 340306);
    REQUIRE(stored.plugins.size() == 2);
    CHECK(stored.plugins.at("a").cursor == 340306);
    CHECK(stored.plugins.at("b").cursor == 340306);
}

TEST_CASE("C21 a pickle that calls anything is refused, and nothing of it is run") {
    for (const int protocol : {2, 3, 4, 5}) {
        DYNAMIC_SECTION("protocol " << protocol) {
            Studio studio;
            studio.add_plugin("first/a.so");
            const auto made = studio.dir / "made";
            REQUIRE(test::python(studio.dir.path(), "write_hostile.py",
                                 {studio.old(), std::to_string(protocol), made.string()})
                        .ended == Ended{0, 0});
            const auto ran = studio.import();
            CHECK(ran.ended == Ended{65, 0});
            CHECK(has(ran.err, "calls something that is not a date; nothing of it was run"));
            CHECK_FALSE(std::filesystem::exists(made));
            CHECK_FALSE(std::filesystem::exists(studio.dir / "state" / "state.db"));
        }
    }
}

TEST_CASE("a position file that is cut short, or none at all, is refused wherever it is cut") {
    Studio studio;
    studio.add_plugin("first/a.so");
    studio.write_old(4, two_collections(studio));
    const auto whole = test::read_file(studio.old());
    REQUIRE(legacy::read_positions(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        CHECK_FALSE(legacy::read_positions(whole.substr(0, size)));
    }
    CHECK_FALSE(legacy::read_positions(whole + "."));
    CHECK_FALSE(legacy::read_positions("position: 340306\n"));
    std::ofstream(studio.old()) << "";
    const auto empty = studio.import();
    CHECK(empty.ended == Ended{65, 0});
    CHECK(has(empty.err, "old.id is empty"));
}

TEST_CASE("a dictionary that holds itself, or the same one very often, ends the reading of positions") {
    using namespace std::string_literals;
    CHECK_FALSE(
        legacy::read_positions("\x80\x04}\x94\x8c\x01"
                               "a\x94h\x00s."s));
    std::string bomb = "\x80\x04}\x94(";
    for (int i = 0; i < 2000; ++i) bomb += "K\x01N";  // one dictionary with many entries …
    bomb += "u0";
    CHECK_FALSE(legacy::read_positions(bomb));
}

TEST_CASE("of two positions of one name the first configured collection's counts, else the furthest") {
    Studio studio;
    studio.add_plugin("first/a.so");
    const legacy::OldPlugin first{"/first", "a", 100, {}}, second{"/second", "a", 200, {}},
        none{"/third", "a", std::nullopt, {}};
    legacy::PositionChoice choice;
    choice.present = {"a"};
    const auto cursor = [&](std::vector<legacy::OldPlugin> all) {
        const auto plan = legacy::plan_positions({std::move(all), {}}, choice);
        REQUIRE(plan);
        CHECK(plan->notes.size() == 2);
        return plan->plugins.at("a").cursor;
    };
    CHECK(cursor({none, first, second}) == 200);
    CHECK(cursor({second, none, first}) == 200);
    choice.collections = {"/first", "/second"};
    CHECK(cursor({none, second, first}) == 100);
}

TEST_CASE("a plugin that was renamed keeps its position") {
    Studio studio;
    studio.add_plugin("first/versions.so");
    studio.write_old(
        4, {{"/gone", {{"version_notes", {100, json::object()}}, {"other", {90, json::object()}}}}});
    const auto ran = studio.import({"--rename", "version_notes=versions", "--plugin", "versions"});
    INFO(ran.out << ran.err);
    REQUIRE(ran.ended == Ended{0, 0});
    const auto stored = studio.stored();
    REQUIRE(stored.plugins.size() == 1);
    CHECK(stored.plugins.at("versions").cursor == 100);
}
