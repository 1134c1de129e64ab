// The real program, as a person starts it.

#include "catch.hpp"
#include "e2e/process.hpp"
#include "temp_dir.hpp"

using namespace sg;
using test::Ended;

namespace {

class Program {
public:
    test::Ran operator()(std::vector<std::string> words, std::vector<std::string> environment = {}) {
        words.insert(words.begin(), SG_PROGRAM);
        return test::run_to_end(words, dir.path(), environment);
    }
    test::TempDir dir;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const char* const least =
    "site:\n  url: http://127.0.0.1:9\n  credential: daemon\ncredentials:\n  daemon: {script: s, "
    "key: secret-key}\ncollections: [.]\n";

}  // namespace

TEST_CASE("C123 no argument, an unknown command, --help and --version do what everyone expects") {
    Program sgeventd;
    const auto nothing = sgeventd({});
    CHECK(nothing.ended == Ended{64, 0});
    CHECK(has(nothing.err, "Usage: sgeventd"));

    const auto mistyped = sgeventd({"chekc-config"});
    CHECK(mistyped.ended == Ended{64, 0});
    CHECK(has(mistyped.err, "'chekc-config' is not a command; did you mean 'check-config'?"));
    CHECK(sgeventd({"frobnicate"}).ended == Ended{64, 0});
    CHECK(sgeventd({"--frobnicate"}).ended == Ended{64, 0});
    CHECK(sgeventd({"check-config", "--frobnicate"}).ended == Ended{64, 0});
    CHECK(sgeventd({"check-config"}).ended == Ended{64, 0});

    const auto help = sgeventd({"--help"});
    CHECK(help.ended == Ended{0, 0});
    CHECK(has(help.out, "Usage: sgeventd"));
    CHECK(has(help.out, "78 configuration"));
    CHECK(sgeventd({"check-config", "--help"}).ended == Ended{0, 0});
    const auto keys = sgeventd({"check-config", "--keys"});
    CHECK(keys.ended == Ended{0, 0});
    CHECK(has(keys.out, "| `poll_interval` | duration, from 50ms to 1h | `500ms` |"));

    const auto version = sgeventd({"--version"});
    CHECK(version.ended == Ended{0, 0});
    CHECK(has(version.out, "sgeventd 0."));
}

TEST_CASE("C124 check-config lists every error with its line and exits with the configuration code") {
    Program sgeventd;
    const auto file = sgeventd.dir / "c.yaml";
    std::ofstream(file) << "site:\n  url: nowhere\n  poll_interval: 0\n  page_size: 0\n  frob: 1\n"
                           "credentials: {}\ncollections: []\n";
    const auto ran = sgeventd({"check-config", "--config", file.string()});
    CHECK(ran.ended == Ended{78, 0});
    for (const auto* where : {":2:3: site.url", ":3:18: site.poll_interval", ":4:14: site.page_size",
                              ":5:3: site.frob", ":1:1: site.credential", ":7:14: collections"})
        CHECK(has(ran.err, file.string() + where));
    CHECK(has(ran.err, "6 errors"));
}

TEST_CASE("check-config finds its file through the environment and shows no secret") {
    Program sgeventd;
    const auto file = sgeventd.dir / "c.yaml";
    std::ofstream(file) << least;
    const auto fine = sgeventd({"check-config"}, {"SGEVENTD_CONFIG=" + file.string()});
    CHECK(fine.ended == Ended{0, 0});
    CHECK(has(fine.out, "is fine"));
    const auto shown = sgeventd({"check-config", "--show", "--config", file.string()});
    CHECK(shown.ended == Ended{0, 0});
    CHECK(has(shown.out, "poll_interval: 500ms"));
    CHECK_FALSE(has(shown.out + shown.err, "secret-key"));
}

TEST_CASE("C125 variables that are named like options change nothing") {
    Program sgeventd;
    const auto file = sgeventd.dir / "c.yaml";
    std::ofstream(file) << least;
    const auto bare = sgeventd({"check-config", "--show", "--config", file.string()});
    const auto crowded = sgeventd({"check-config", "--show", "--config", file.string()},
                                  {"USERNAME=u", "PORT=1", "PROXY_SERVER=p", "KEY=k", "PATHS=/x", "PROXY=p"});
    CHECK(crowded.ended == Ended{0, 0});
    CHECK(crowded.out == bare.out);
}
