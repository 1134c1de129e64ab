// The site tells the daemon of events, truly and otherwise.

#include <algorithm>

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "e2e/scrape.hpp"
#include "sandbox/webhook_body.hpp"
#include "sandbox/webhook_post.hpp"

namespace webhook_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = std::chrono::seconds(60);
const std::string token = "hook-token-77";

/// A daemon that would look for events once an hour.
struct Waiting {
    sandbox::Site site;
    Home home;
    Daemon daemon;
    std::string url;

    Waiting()
        : home(site.url(), {recorder()},
               {{"site", {{"poll_interval", "1h"}, {"idle_poll_interval", "1h"}}},
                {"webhook", {{"address", "127.0.0.1:0"}, {"token", token}}}}),
          daemon((site.add_event(event(100)), home)) {
        REQUIRE(daemon.wait_until_followed({"recorder"}));
        const std::string before = "[WEBHOOK] Listening to the site's webhook. address=127.0.0.1:0 port=";
        REQUIRE(daemon.wait_for_log(before));
        const auto log = daemon.log();
        const auto port = std::strtol(log.c_str() + log.find(before) + before.size(), nullptr, 10);
        url = "http://127.0.0.1:" + std::to_string(port) + "/events";
        REQUIRE(wait_for([&] { return scrape(home)["sgeventd_ready"] == 1; }, long_enough));
    }

    double told(const std::string& outcome) const {
        return scrape(home)["sgeventd_webhook_deliveries_total{outcome=\"" + outcome + "\"}"];
    }
    bool wait_until_told(const std::string& outcome, double times) const {
        return wait_for([&] { return told(outcome) == times; }, long_enough);
    }
    double polls() const { return scrape(home)["sgeventd_site_queries_total{kind=\"poll\"}"]; }

    long post(const std::string& body, const std::string& signature) const {
        std::vector<std::string> headers{"content-type: application/json"};
        if (!signature.empty()) headers.push_back("x-sg-signature: " + signature);
        return sandbox::post(url, headers, body, 60s, {}).status;
    }
};

}  // namespace

TEST_CASE("an event that the site's webhook tells of is delivered without waiting for the interval") {
    Waiting waiting;
    INFO(waiting.daemon.log());
    const auto batched = GENERATE(false, true);
    waiting.site.add_webhook({.url = waiting.url, .token = token, .batched = batched});
    std::vector<std::chrono::steady_clock::duration> took;
    for (std::size_t i = 1; i <= 15; ++i) {
        const auto began = std::chrono::steady_clock::now();
        waiting.site.add_events(1, "Shotgun_Shot_Change");
        REQUIRE(wait_for_recorded(waiting.home, i));
        took.push_back(std::chrono::steady_clock::now() - began);
    }
    std::sort(took.begin(), took.end());
    const auto median = std::chrono::duration_cast<std::chrono::milliseconds>(took[took.size() / 2]).count();
    INFO("median " << median << " ms, longest "
                   << std::chrono::duration_cast<std::chrono::milliseconds>(took.back()).count() << " ms");
    CHECK(median < 1000);
    if (std::getenv("SG_SHOW_TIMES") != nullptr) WARN("median " << median << " ms");
    CHECK(waiting.told("forged") == 0);
    CHECK(waiting.daemon.terminate() == Ended{0, 0});
}

TEST_CASE("a forged or repeated delivery is refused and counted, and the event comes once") {
    Waiting waiting;
    INFO(waiting.daemon.log());
    waiting.site.add_webhook({.url = waiting.url, .token = token});
    waiting.site.spoil_deliveries(sandbox::WebhookFault::forged);
    waiting.site.add_events(1, "Shotgun_Shot_Change");
    CHECK(wait_for_recorded(waiting.home, 1));
    CHECK(waiting.wait_until_told("forged", 1));
    CHECK(waiting.wait_until_told("accepted", 1));

    waiting.site.spoil_deliveries(sandbox::WebhookFault::twice);
    waiting.site.add_events(1, "Shotgun_Shot_Change");
    CHECK(wait_for_recorded(waiting.home, 2));
    CHECK(waiting.wait_until_told("accepted", 2));
    CHECK(waiting.wait_until_told("replayed", 1));
    CHECK(journal_ids(waiting.home.journal()) == std::vector<std::int64_t>{101, 102});
    CHECK(waiting.daemon.count_in_log("[WEBHOOK-REFUSED]") == 1);  // and the second is counted
    CHECK(waiting.daemon.log().find(token) == std::string::npos);
}

TEST_CASE("what is not a fresh delivery of the site's makes the daemon ask nothing") {
    Waiting waiting;
    INFO(waiting.daemon.log());
    const auto before = waiting.polls();
    const std::string old =
        R"({"data":{"id":"1.2.0","event_log_entry_id":545175},"timestamp":"2022-02-01T20:53:09Z"})";
    CHECK(waiting.post(old, {}) == 403);
    CHECK(waiting.post(old, "sha1=" + std::string(40, '0')) == 403);
    CHECK(waiting.post(old, sandbox::webhook_signature("another", old)) == 403);
    CHECK(waiting.post(old, sandbox::webhook_signature(token, old)) == 409);
    CHECK(waiting.post("{}", sandbox::webhook_signature(token, "{}")) == 400);
    CHECK(waiting.post(std::string(9'000'000, ' '), {}) != 200);
    CHECK(waiting.wait_until_told("forged", 3));
    CHECK(waiting.wait_until_told("old", 1));
    CHECK(waiting.wait_until_told("unreadable", 1));
    CHECK(waiting.polls() == before);
    CHECK(waiting.told("accepted") == 0);
    CHECK(waiting.daemon.terminate() == Ended{0, 0});
}

TEST_CASE("a daemon that cannot listen to the webhook says so and follows the site all the same") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {recorder()},
              {{"webhook", {{"address", "127.0.0.1:" + std::to_string(site.port())}, {"token", token}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    CHECK(daemon.wait_for_log("[WEBHOOK-OFF]"));
    site.add_events(1, "Shotgun_Shot_Change");
    CHECK(wait_for_recorded(home, 1));
}

}  // namespace webhook_test
