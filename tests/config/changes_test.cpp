// Two configurations compared.

#include "config/changes.hpp"

#include "catch.hpp"
#include "config/fixture.hpp"

using namespace sg;

namespace {

/// "key (text)" for each change, those that wait for the next start with a star.
std::vector<std::string> told(const std::string& before, const std::string& after) {
    test::ConfigFile file;
    const auto a = file.load(std::string(test::ConfigFile::least) + before);
    const auto b = file.load(std::string(test::ConfigFile::least) + after);
    REQUIRE(a);
    REQUIRE(b);
    std::vector<std::string> out;
    for (const auto& change : config::changes(a->config, b->config))
        out.push_back(change.key + (change.at_once ? "" : "*") +
                      (change.text.empty() ? "" : " " + change.text));
    // What was taken over is not a change any more; what was not still is.
    const auto now = config::taken_over(a->config, b->config);
    for (const auto& change : config::changes(now, b->config)) CHECK_FALSE(change.at_once);
    for (const auto& change : config::changes(a->config, now)) CHECK(change.at_once);
    return out;
}

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("of two configurations what differs is told, and nothing else") {
    CHECK(told("", "").empty());
    CHECK(told("plugins: {a: {}}\n", "").empty());  // it says what everyone has anyway
    CHECK(told("", "log: {level: debug}\ndrain_time: 1s\n") ==
          Told{"log.level info, now debug", "drain_time 30s, now 1s"});
    CHECK(told("plugins: {a: {nice: 3}}\n", "plugin_defaults: {nice: 3}\n") ==
          Told{"plugin_defaults.nice 0, now 3"});
    CHECK(told("", "plugins: {a: {start: 12, enabled: false}}\n") ==
          Told{"plugins.a.enabled true, now false", "plugins.a.start latest, now 12"});
}

TEST_CASE("what a running daemon cannot take over is told as such, and no secret is") {
    CHECK(told("state_dir: /a\n", "state_dir: /b\n") == Told{"state_dir* /a, now /b"});
    CHECK(told("", "plugins: {a: {credential: other}}\n") == Told{"plugins.a.credential* none, now other"});
    CHECK(told("plugins: {a: {credential: other, nice: 1}}\n", "").size() == 2);
    CHECK(told("", "plugins: {a: {args: {token: secret}}}\n") == Told{"plugins.a.args"});
    CHECK(told("", "log: {file: /l, keep: 3, compress: true, rotate: false}\n") ==
          Told{"log.file* none, now /l", "log.rotate* true, now false", "log.keep 10, now 3",
               "log.compress false, now true"});
    CHECK(
        told("alerts: {mail: {server: m, from: a@b, to: [c@d]}}\n",
             "alerts: {level: warning, attempts: 2, mail: {server: m, from: a@b, to: [e@f]}}\n") ==
        Told{"alerts.level error, now warning", "alerts.attempts* 5, now 2", "alerts.mail.to c@d, now e@f"});
    CHECK(told("retries: {first: 2s}\n", "dead_letters: {per_plugin: 7}\n") ==
          Told{"retries.first 2s, now 1s", "dead_letters.per_plugin* 1000, now 7"});
}
