// People are told by a daemon as it runs.

#include "alerts/mail_server.hpp"
#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

namespace alerts_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

json mail_to(int port) {
    return {{"alerts",
             {{"gather", "100ms"},
              {"pause", "0ms"},
              {"mail",
               {{"server", "127.0.0.1"},
                {"port", port},
                {"tls", "none"},
                {"from", "sgeventd@studio.example"},
                {"to", {"all@studio.example"}}}}}}};
}

/// Fails on every event, and says so as an error.
TestPlugin skipping(const std::string& name, json settings = json::object()) {
    settings["on_failure"] = "skip";
    return scripted(name, {{"rules", {{{"do", "throw"}, {"text", "failed on purpose"}}}}},
                    std::move(settings));
}

std::string bodies(const MailServer& server, const std::string& to) {
    std::string out;
    for (const auto& mail : server.mails())
        if (mail["to"] == json{to}) out += mail["body"].get<std::string>();
    return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string status_of(const Home& home) {
    const auto socket = (home.state() / "control.sock").string();
    return say(home, {"status", "--output", "json", "--socket", socket}).out;
}

std::size_t skipped(const Daemon& daemon) { return daemon.count_in_log("[CALL-SKIPPED]"); }

}  // namespace

TEST_CASE(
    "C131 a mail server that hangs delays no event, and the alerts that were lost are counted and logged") {
    const SilentServer hangs;
    sandbox::Site site;
    auto changes = mail_to(hangs.port());
    changes["alerts"]["timeout"] = "100ms";
    changes["alerts"]["attempts"] = 1;
    Home home(site, {skipping("fails"), recorder()}, changes);
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"fails", "recorder"}));
    site.add_events(100, sandbox::EventSpec{});
    REQUIRE(wait_for_recorded(home, 100));
    REQUIRE(wait_for([&] { return skipped(daemon) == 100; }));
    CHECK(wait_for([&] { return hangs.was_called(); }));
    REQUIRE(daemon.wait_for_log("[ALERTS-LOST]"));
    REQUIRE(wait_for([&] {
        const auto channels = json::parse(status_of(home))["alerts"];
        return channels.size() == 1 && channels[0]["channel"] == "mail" && channels[0]["lost"] > 0;
    }));
    const auto said = command(home, {"status"}).out;
    CHECK(has(said, "alerts by mail: 0 sent, "));
    CHECK(has(said, "; last sent never"));
    CHECK(daemon.terminate() == Ended{0, 0});
}

TEST_CASE("C132 a thousand errors are few mails, which account for every one") {
    const MailServer server;
    sandbox::Site site;
    auto changes = mail_to(server.port());
    changes["alerts"]["gather"] = "1s";
    changes["alerts"]["pause"] = "1h";
    Home home(site, {skipping("fails")}, changes);
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"fails"}));
    site.add_events(1000, sandbox::EventSpec{});
    REQUIRE(wait_for([&] { return skipped(daemon) == 1000; }));
    CHECK(daemon.terminate() == Ended{0, 0});  // what was held back in the pause is sent at the end
    const auto mails = server.mails();
    CHECK(mails.size() <= 3);
    std::size_t told = 0;
    for (const auto& mail : mails) {
        const auto body = mail["body"].get<std::string>();
        for (auto at = body.find("\n[CALL-SKIPPED]"); at != std::string::npos;
             at = body.find("\n[CALL-SKIPPED]", at + 1))
            ++told;
        if (const auto at = body.find(" more were held back"); at != std::string::npos)
            told += std::stoul(body.substr(body.rfind('\n', at) + 1));
    }
    CHECK(told == 1000);
    CHECK(has(bodies(server, "all@studio.example"), " more were held back"));
}

TEST_CASE("C134 each plugin's alerts go where its configuration says") {
    const MailServer server;
    sandbox::Site site;
    Home home(site,
              {skipping("everybody"), skipping("silent", {{"alerts_to", {"none"}}}),
               skipping("own", {{"alerts_to", {"td@studio.example"}}})},
              mail_to(server.port()));
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"everybody", "silent", "own"}));
    site.add_event({});
    REQUIRE(wait_for([&] { return skipped(daemon) == 3; }));
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(has(bodies(server, "all@studio.example"), "plugin=everybody"));
    CHECK(has(bodies(server, "td@studio.example"), "plugin=own"));
    CHECK_FALSE(has(bodies(server, "all@studio.example"), "plugin=own"));
    CHECK(server.mails().size() == 2);
}

TEST_CASE("C136 no secret is in the log, in an alert, or in what status says") {
    const MailServer server({"--user", "robot", "--password", "mail-pass-8412"});
    sandbox::Site site;
    auto changes = mail_to(server.port());
    changes["alerts"]["mail"].update(
        {{"user", "robot"}, {"password", "mail-pass-8412"}, {"allow_plain_login", true}});
    changes["alerts"]["hook"] = {{"url", "http://127.0.0.1:1/services/hook-token-5123"}};
    changes["alerts"]["attempts"] = 1;
    const std::vector<std::string> secrets{"mail-pass-8412", "hook-token-5123", sandbox::Site::key,
                                           "arg-secret-3377"};
    auto leaky = scripted(
        "leaky",
        {{"token", "${LEAKY_TOKEN}"},
         {"rules",
          {{{"do", "throw"},
            {"text", "key=" + std::string(sandbox::Site::key) +
                         " arg-secret-3377 mail-pass-8412 http://127.0.0.1:1/services/hook-token-5123"}}}}},
        {{"on_failure", "skip"}});
    Home home(site, {leaky}, changes);
    Daemon daemon(home, {"LEAKY_TOKEN=arg-secret-3377"});
    REQUIRE(daemon.wait_until_followed({"leaky"}));
    site.add_event({});
    REQUIRE(server.wait_for_mails(1));
    REQUIRE(daemon.wait_for_log("[ALERTS-LOST]"));  // the hook is not there
    std::string status;
    REQUIRE(wait_for([&] { return has(status = status_of(home), "the hook: "); }));
    CHECK(daemon.terminate() == Ended{0, 0});
    std::string mails;
    for (const auto& mail : server.mails()) mails += mail.dump();
    CHECK(has(mails, "***"));
    for (const auto& secret : secrets) {
        INFO(secret);
        CHECK_FALSE(has(daemon.log(), secret));
        CHECK_FALSE(has(mails, secret));
        CHECK_FALSE(has(status, secret));
    }
}

TEST_CASE("a reload takes over whom alerts go to and from which level on, and names what waits") {
    const MailServer server;
    sandbox::Site site;
    Home home(site, {skipping("fails")}, mail_to(server.port()));
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"fails"}));
    site.add_event({});
    REQUIRE(wait_for([&] { return skipped(daemon) == 1; }));
    REQUIRE(server.wait_for_mails(1));
    CHECK(wait_for([&] { return json::parse(status_of(home))["alerts"][0]["last_sent"].is_string(); }));
    home.change(
        {{"alerts", {{"level", "warning"}, {"attempts", 2}, {"mail", {{"to", {"new@studio.example"}}}}}},
         {"plugins", {{"fails", {{"alerts_to", {"td@studio.example"}}}}}}});
    daemon.signal(SIGHUP);
    REQUIRE(daemon.wait_for_log("[CONFIG-RESTART]"));
    CHECK(daemon.count_in_log("keys=[alerts.attempts (5, now 2)]") == 1);
    CHECK(daemon.count_in_log("alerts.mail.to (all@studio.example, now new@studio.example)") == 1);
    REQUIRE(daemon.wait_for_log("Plugin is ready. generation=2"));
    site.add_event({});
    REQUIRE(wait_for([&] { return skipped(daemon) == 2; }));
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(has(bodies(server, "all@studio.example"), "plugin=fails"));
    CHECK_FALSE(has(bodies(server, "all@studio.example"), "[CONFIG-RESTART]"));
    CHECK(has(bodies(server, "new@studio.example"), "[CONFIG-RESTART]"));  // of level warning
    CHECK(has(bodies(server, "td@studio.example"), "plugin=fails"));
}

TEST_CASE("people hear why a daemon could not start") {
    const MailServer server;
    sandbox::Site site;
    Home home(site, {}, mail_to(server.port()));
    std::filesystem::create_directories(home.state());
    std::ofstream(home.state() / "state.db") << "not a database, but long enough to be looked at as one";
    Daemon daemon(home);
    REQUIRE(daemon.wait());
    CHECK(has(bodies(server, "all@studio.example"), "[STATE-REFUSED]"));
    CHECK(has(bodies(server, "all@studio.example"), "[STOPPED] Stopped. exit_code="));
}

}  // namespace alerts_test
