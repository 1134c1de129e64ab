// What a plugin chooses for itself when it registers counts as long as that build serves.

#include "alerts/mail_server.hpp"
#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace chosen_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

std::filesystem::path version(int number) {
    return std::filesystem::path(SG_BAD_PLUGINS) / "plugins" / ("version_" + std::to_string(number) + ".so");
}

std::string mailed_to(const MailServer& server, const std::string& to) {
    std::string out;
    for (const auto& mail : server.mails())
        if (mail["to"] == json{to}) out += mail["body"].get<std::string>();
    return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("C104 a log level and recipients that a version chose end with it") {
    for (const auto* isolation : {"process", "thread"}) {
        DYNAMIC_SECTION(isolation) {
            const MailServer server;
            sandbox::Site site;
            Home home(site,
                      {{"plugin",
                        version(1),
                        {{"journal", "@DIR@/journal"}, {"chooses", "td@studio.example"}},
                        {{"isolation", isolation}}},
                       {"quiet", version(3), {{"journal", "@DIR@/quiet"}}, nullptr}},
                      {{"reload", {{"interval", "100ms"}, {"settle", "100ms"}}},
                       {"alerts",
                        {{"gather", "100ms"},
                         {"pause", "0ms"},
                         {"mail",
                          {{"server", "127.0.0.1"},
                           {"port", server.port()},
                           {"tls", "none"},
                           {"from", "sgeventd@studio.example"},
                           {"to", {"all@studio.example"}}}}}}});
            Daemon daemon(home);
            REQUIRE(daemon.wait_until_followed({"plugin", "quiet"}));
            sandbox::EventSpec speak;
            speak.event_type = "Speak";
            site.add_event(speak);
            INFO(daemon.log());
            REQUIRE(daemon.wait_for_log("shouted by v1"));
            CHECK(daemon.wait_for_log("whispered by v1"));
            REQUIRE(daemon.wait_for_log("shouted by v3"));  // the neighbour
            CHECK(daemon.count_in_log("whispered by v3") == 0);

            const auto beside = home.path() / "plugins/.new", file = home.path() / "plugins/plugin.so";
            std::filesystem::copy_file(version(2), beside);
            std::filesystem::rename(beside, file);
            REQUIRE(daemon.wait_for_log("[PLUGIN-READY] Plugin is ready. generation=2"));
            site.add_event(speak);
            REQUIRE(daemon.wait_for_log("shouted by v2"));
            CHECK(daemon.count_in_log("whispered by v2") == 0);
            CHECK(daemon.terminate() == Ended{0, 0});
            CHECK(has(mailed_to(server, "td@studio.example"), "shouted by v1"));
            CHECK_FALSE(has(mailed_to(server, "td@studio.example"), "shouted by v2"));
            CHECK_FALSE(has(mailed_to(server, "all@studio.example"), "shouted by v1"));
            CHECK(has(mailed_to(server, "all@studio.example"), "shouted by v2"));
        }
    }
}

}  // namespace chosen_test
