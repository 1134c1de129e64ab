// Which lines people are told of, and whom.

#include <nlohmann/json.hpp>

#include "alerts/alerts.hpp"
#include "capture_log.hpp"
#include "catch.hpp"
#include "mail_server.hpp"
#include "service/alert_desk.hpp"
#include "util/mail_address.hpp"

namespace which_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Fixture {
    MailServer server;
    ManualClock clock;
    CaptureLog log;
    alerts::Options options;
    std::unique_ptr<alerts::Alerts> alerts;

    Fixture() {
        options.origin = {"1", "host7", "https://studio.example.com"};
        options.to = {"all@studio.example"};
        options.mail.emplace();
        options.mail->server = "127.0.0.1";
        options.mail->port = server.port();
        options.mail->tls = alerts::Tls::none;
        options.mail->from = "sgeventd@studio.example";
    }
    void start() { alerts = std::make_unique<alerts::Alerts>(options, clock, log); }
    void error(const std::string& logger, const std::string& text) {
        alerts->line(LogLevel::error, logger, text);
    }
    void info(const std::string& text) { alerts->line(LogLevel::info, "engine", text); }

    /// Everything that was told, by whom it went to.
    std::map<std::string, std::string> told() {
        alerts->stop(30s);
        std::map<std::string, std::string> out;
        for (const auto& mail : server.mails())
            out[mail["to"].front().get<std::string>()] += mail["body"].get<std::string>();
        return out;
    }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("C134 alerts of a plugin go to everybody, nobody, nobody for an empty list, or those on its list") {
    Fixture f;
    f.start();
    f.alerts->register_recipients("everybody", R"("all")");
    f.alerts->register_recipients("silent", R"("none")");
    f.alerts->register_recipients("empty", "[]");
    f.alerts->register_recipients("own", R"(["td@studio.example", "sup@studio.example"])");
    for (const std::string name : {"everybody", "silent", "empty", "own", "unknown"}) {
        f.error("plugin." + name, "said by " + name);
        f.error("engine", "[LANE-HALTED] Callback failed. plugin=" + name + " callback=x");
    }
    f.error("engine", "of the daemon");
    const auto told = f.told();
    REQUIRE(told.size() == 2);
    const auto& everybody = told.at("all@studio.example");
    const auto& own = told.at("sup@studio.example");
    for (const char* text : {"said by everybody", "plugin=everybody", "said by unknown", "of the daemon"})
        CHECK(has(everybody, text));
    CHECK_FALSE((has(everybody, "said by own") || has(everybody, "plugin=own")));
    CHECK_FALSE((has(everybody, "silent") || has(everybody, "empty")));
    CHECK((has(own, "said by own") && has(own, "plugin=own")));
    CHECK_FALSE(has(own, "daemon"));
}

TEST_CASE("what the configuration says of a plugin's recipients comes before what it registers") {
    Fixture f;
    f.options.plugins["silent"] = alerts::Recipients::parse("none").value();
    f.options.others = alerts::Recipients::parse(json{"others@studio.example"}).value();
    f.start();
    f.alerts->register_recipients("silent", R"("all")");
    f.alerts->register_recipients("review", R"(["td@studio.example"])");
    f.error("plugin.silent", "unheard");
    f.error("plugin.review", "heard");
    const auto told = f.told();
    REQUIRE(told.size() == 1);
    CHECK(has(told.at("others@studio.example"), "heard"));
}

TEST_CASE("a new configuration counts from the next line on: level, everybody, and who is told of a plugin") {
    Fixture f;
    f.start();
    f.error("plugin.review", "before");
    f.alerts->line(LogLevel::warning, "engine", "[CLOCK-SKEW] before");
    f.options.level = LogLevel::warning;
    f.options.to = {"new@studio.example"};
    f.options.plugins["review"] = alerts::Recipients::parse(json{"td@studio.example"}).value();
    f.alerts->configure(f.options);
    f.error("plugin.review", "after");
    f.alerts->line(LogLevel::warning, "engine", "[CLOCK-SKEW] after");
    const auto told = f.told();
    REQUIRE(told.size() == 3);
    CHECK(
        (has(told.at("all@studio.example"), "before") && !has(told.at("all@studio.example"), "CLOCK-SKEW")));
    CHECK(has(told.at("td@studio.example"), "after"));
    CHECK(has(told.at("new@studio.example"), "[CLOCK-SKEW] after"));
}

TEST_CASE("addresses that are none are refused by name, and everybody is told instead") {
    CHECK(is_mail_address("td@studio.example"));
    for (const char* text :
         {"", "td", "@studio", "td@", "a@b@c", "a b@c", "<a@b>", "a@b\r\nBcc: c@d", "a@b,c@d"})
        CHECK_FALSE(is_mail_address(text));
    Fixture f;
    f.start();
    f.alerts->register_recipients("review", R"(["td@studio.example\r\nBcc: victim@elsewhere"])");
    CHECK(f.log.count("[ALERT-RECIPIENTS]") == 1);
    f.error("plugin.review", "text");
    CHECK(f.told().count("all@studio.example") == 1);
}

TEST_CASE("people are told of errors, of what has stopped, and of the end of what they were told of") {
    Fixture f;
    f.start();
    f.info("[SITE-BACK] before anything was wrong");
    f.alerts->line(LogLevel::warning, "engine", "[SITE-LOST] a short outage");
    f.info("[SITE-BACK] after a short outage");
    f.error("engine", "[SITE-DOWN] a long outage");
    f.info("[SITE-BACK] after a long outage");
    f.info("[SITE-BACK] nothing was wrong again");
    f.alerts->line(LogLevel::warning, "plugin.review", "[PLUGIN-GONE] its file is gone");
    f.info("[LANE-RESUMED] of one that did not halt. plugin=other");
    f.alerts->line(LogLevel::info, "plugin.review", "[PLUGIN-READY] it is back");
    f.error("engine", "[DEAD-LETTER] given up. plugin=review");
    f.error("engine", "[ALERTS-LOST] is no alert");
    const auto told = f.told();
    REQUIRE(told.size() == 1);
    const auto& text = told.begin()->second;
    for (const char* part :
         {"a long outage", "after a long outage", "its file is gone", "it is back", "given up"})
        CHECK(has(text, part));
    for (const char* part : {"before", "short", "again", "did not halt", "ALERTS-LOST"})
        CHECK_FALSE(has(text, part));
}

TEST_CASE("C145 silence is told once, and its end once") {
    ManualClock clock;
    CaptureLog log;
    service::QuietWatch watch(2s, clock, log);
    std::uint64_t events = 7;
    watch.look(events, true);
    for (int i = 0; i < 10; ++i) {
        clock.advance(1s);
        watch.look(events, true);
        CHECK(log.count("[SITE-QUIET]") == (i >= 1 ? 1U : 0U));
    }
    CHECK(log.count("[SITE-QUIET-OVER]") == 0);
    watch.look(++events, true);
    CHECK(log.count("[SITE-QUIET-OVER] An event has come again. after_s=10.0") == 1);
    clock.advance(1s);
    watch.look(++events, true);
    CHECK(log.count("[SITE-QUIET-OVER]") == 1);
    SECTION("an outage is no silence") {
        for (int i = 0; i < 10; ++i) {
            clock.advance(1s);
            watch.look(events, false);
        }
        CHECK(log.count("[SITE-QUIET]") == 1);
    }
}

}  // namespace which_test
