// Events in a file: written down as they come, and replayed.

#include <fstream>

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

namespace recording_test {

using namespace sg;
using nlohmann::json;
using test::Ended;
using test::event;
using test::Home;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
    Lines out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

/// What a replay printed as JSON, but for what it needed the site for.
Lines offered(const Home& home, Lines words) {
    words.insert(words.begin(), "replay");
    words.insert(words.end(), {"--output", "json"});
    const auto said = test::command(home, words);
    INFO(said.out + said.error);
    CHECK(said.ended == Ended{0, 0});
    return lines_of(said.out);
}

std::vector<std::int64_t> ids_of(const Lines& lines) {
    std::vector<std::int64_t> out;
    for (const auto& line : lines)
        if (const auto one = json::parse(line); one.at("what") == "event")
            out.push_back(one.at("event").get<std::int64_t>());
    return out;
}

void write(const std::filesystem::path& file, const Lines& lines) {
    std::ofstream out(file);
    for (const auto& line : lines) out << line << '\n';
}

const json only_status{{"Shotgun_Shot_Change", {"sg_status_list"}}};

}  // namespace

TEST_CASE("C143 what was recorded is offered in the order of the file without a site, and matches as live") {
    auto site = std::make_unique<sandbox::Site>();
    for (std::int64_t id = 101; id <= 150; ++id) {
        auto spec = event(id);
        spec.attribute_name = id % 3 == 0 ? "sg_status_list" : "code";
        site->add_event(spec);
    }
    const Home home(*site, {test::recorder(), test::scripted("status", {{"filter", only_status}})});
    const auto file = home.path() / "events.jsonl";
    const auto said = test::command(home, {"record", file.string(), "--since", "100", "--count", "50"});
    INFO(said.out + said.error);
    REQUIRE(said.ended == Ended{0, 0});
    auto rows = lines_of(test::read_file(file));
    REQUIRE(rows.size() == 50);
    CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms(0600));
    CHECK_FALSE(std::filesystem::exists(home.state()));

    // A kill in the middle of a line, and a file of somebody else's.
    const auto again = home.path() / "again.jsonl";
    const auto add_one = [&] {
        return test::command(home, {"record", again.string(), "--since", "100", "--count", "1"});
    };
    std::ofstream(again) << rows[0] << '\n' << rows[1].substr(0, 40);
    CHECK(add_one().ended == Ended{0, 0});
    CHECK(lines_of(test::read_file(again)) == Lines{rows[0], rows[0]});
    std::ofstream(again) << "a note\nof mine";
    CHECK(add_one().ended == Ended{65, 0});
    CHECK(test::read_file(again) == "a note\nof mine");

    const auto live = offered(home, {"101-150"});
    site.reset();

    CHECK(offered(home, {"--file", file.string()}) == live);
    std::swap(rows.front(), rows.back());
    write(file, rows);
    const auto ids = ids_of(offered(home, {"--file", file.string()}));
    REQUIRE(ids.size() == 50);
    CHECK(ids.front() == 150);
    CHECK(ids.back() == 101);

    SECTION("callbacks run on it too") {
        const auto ran =
            test::command(home, {"replay", "--file", file.string(), "--execute", "--plugin", "recorder"});
        INFO(ran.out + ran.error);
        CHECK(ran.ended == Ended{0, 0});
        CHECK(test::journal_ids(home.journal()).size() == 50);
    }
    SECTION("a last line that was cut short costs a warning, any other one an error with its number") {
        std::ofstream(file, std::ios::app) << rows[0].substr(0, 40);
        const auto cut = test::command(home, {"replay", "--file", file.string()});
        CHECK(cut.ended == Ended{0, 0});
        CHECK(cut.error.find("[RECORDING-CUT]") != std::string::npos);
        CHECK(cut.out.find("50 events") != std::string::npos);
        for (const auto& wrong : {rows[0].substr(0, 40), std::string("[]"), std::string("{\"id\": 0}"),
                                  rows[1] + ", " + rows[2]}) {
            write(file, {rows[0], wrong, rows[1]});
            const auto bad = test::command(home, {"replay", "--file", file.string()});
            INFO(wrong << '\n' << bad.error);
            CHECK(bad.ended == Ended{65, 0});
            CHECK(bad.error.find("events.jsonl:2: ") != std::string::npos);
        }
    }
    SECTION("ids or a file, and not both") {
        CHECK(test::command(home, {"replay"}).ended == Ended{64, 0});
        CHECK(test::command(home, {"replay", "101", "--file", file.string()}).ended == Ended{64, 0});
        CHECK(test::command(home, {"replay", "--file", "/nowhere"}).ended == Ended{65, 0});
    }
}

TEST_CASE("C71 C143 dead letters that were exported are replayed from their file") {
    sandbox::Site site;
    site.add_event(event(100));
    const json fails = json::parse(R"([{"do": "throw"}])");
    Home home(site, {test::scripted("fails", {{"rules", fails}})}, {{"plugin_defaults", {{"attempts", 1}}}});
    {
        test::Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"fails"}));
        site.add_events(3, "Shotgun_Shot_Change");
        REQUIRE(daemon.wait_for_cursor("fails", 103));
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    const auto exported = test::command(home, {"dead-letters", "export"});
    INFO(exported.out + exported.error);
    REQUIRE(lines_of(exported.out).size() == 3);
    const auto file = home.path() / "letters.jsonl";
    std::ofstream(file) << exported.out;
    CHECK(ids_of(offered(home, {"--file", file.string()})) == std::vector<std::int64_t>{101, 102, 103});
}

TEST_CASE("tail shows a line for each event that is asked for, and ends in order") {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "show"}});
    for (std::int64_t id = 101; id <= 106; ++id) {
        auto spec = event(id);
        spec.project = {{"type", "Project"}, {"id", id % 2 == 0 ? project : project + 1}, {"name", "show"}};
        if (id == 106) spec.event_type = "Shotgun_Task_New";
        site.add_event(spec);
    }
    const Home home(site, {});
    const auto said = test::command(home, {"tail", "--since", "100", "--count", "2", "--type",
                                           "Shotgun_Shot_Change", "--project", std::to_string(project)});
    INFO(said.out + said.error);
    CHECK(said.ended == Ended{0, 0});
    const auto shown = lines_of(said.out);
    REQUIRE(shown.size() == 2);
    CHECK(shown[0].rfind("102  ", 0) == 0);
    CHECK(shown[1].rfind("104  ", 0) == 0);
    CHECK(shown[0].find("  Shotgun_Shot_Change") != std::string::npos);
    CHECK(shown[0].find("in Project " + std::to_string(project) + " show") != std::string::npos);

    // One that waits for more ends when it is told to.
    test::Process waiting(
        {SG_PROGRAM, "tail", "--config", home.config_file().string(), "--since", "105", "--output", "json"},
        {}, home.path() / "tail.out", home.path() / "tail.err");
    REQUIRE(test::wait_for(
        [&] { return test::read_file(home.path() / "tail.out").find('\n') != std::string::npos; }));
    CHECK(json::parse(test::read_file(home.path() / "tail.out")).at("id") == 106);
    waiting.signal(SIGINT);
    CHECK(waiting.wait(std::chrono::seconds(60)) == Ended{0, 0});
}

}  // namespace recording_test
