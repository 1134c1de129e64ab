// What webhooks are told, and how deliveries go wrong.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <chrono>
#include <set>

#include "catch.hpp"
#include "hook_receiver.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"
#include "sandbox/webhook_body.hpp"
#include "util/clock.hpp"
#include "wait_for.hpp"

namespace webhooks_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using sandbox::WebhookFault;

namespace {

/// Reckoned here once more, so that the sandbox is not compared with itself.
std::string signature(const std::string& token, const std::string& body) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    ::HMAC(EVP_sha1(), token.data(), static_cast<int>(token.size()),
           reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &length);
    std::string hex;
    for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
    return "sha1=" + hex;
}

/// A site with a project, one shot in it and a person.
struct Studio {
    sandbox::Site site;
    sandbox::Id project = site.add("Project", {{"name", "P"}});
    sandbox::Id person = site.add_person("Ada", "ada");
    sandbox::Id shot = site.add("Shot", {{"code", "a"}, {"project", sandbox::link_to("Project", project)}});
    sandbox::Caller ada{.user = {"HumanUser", person}, .session_uuid = "5a1d49b0"};

    sandbox::Id set_status(const std::string& status) {
        return site.update(ada, "Shot", shot, {{"sg_status_list", status}});
    }
};

Json data_of(const HookReceiver::Post& post) { return Json::parse(post.body)["data"]; }

}  // namespace

TEST_CASE("a webhook body is signed as the specification's test vector says") {
    CHECK(sandbox::webhook_signature(
              "mytoken",
              R"({"data":{"id":"1.2.0","event_log_entry_id":545175},"timestamp":"2022-02-01T20:53:09Z"})") ==
          "sha1=bde3ab7ff5fc8480c1ad8979a46694b5c938be98");
}

TEST_CASE("a webhook is told of a change soon, signed, with links without names") {
    HookReceiver receiver;
    Studio studio;
    const auto hook = studio.site.add_webhook({.url = receiver.url(), .token = "mytoken"});
    const auto event = studio.set_status("ip");
    REQUIRE(wait_for([&] { return receiver.posts().size() == 1; }));
    const auto post = receiver.posts()[0];
    CHECK(post.head.starts_with("POST /hook HTTP/1.1"));
    CHECK(post.header("x-sg-webhook-id") == hook);
    CHECK(post.header("content-type") == "application/json; charset=utf-8");
    CHECK(post.header("x-sg-webhook-site-url") == studio.site.url() + "/");
    CHECK(post.header("x-sg-event-batch-size") == "1");
    CHECK(post.header("x-sg-signature") == signature("mytoken", post.body));
    const auto data = data_of(post);
    CHECK(data["event_log_entry_id"] == event);
    CHECK(data["event_type"] == "Shotgun_Shot_Change");
    CHECK(data["operation"] == "update");
    CHECK(data["entity"] == Json({{"type", "Shot"}, {"id", studio.shot}}));
    CHECK(data["project"] == Json({{"type", "Project"}, {"id", studio.project}}));
    CHECK(data["user"] == Json({{"type", "HumanUser"}, {"id", studio.person}}));
    CHECK(data["session_uuid"] == "5a1d49b0");
    CHECK(data["attribute_name"] == "sg_status_list");
    CHECK(data["meta"]["new_value"] == "ip");
    CHECK(data["delivery_id"] == post.header("x-sg-delivery-id"));
    CHECK(data["created_at"].get<std::string>().size() == std::string("2026-02-01 20:53:08.523887").size());
    REQUIRE(wait_for([&] { return studio.site.webhook_deliveries().at(0).done; }));
    CHECK(studio.site.webhook_deliveries()[0].response_body == "ok");
    CHECK(studio.site.webhooks().at(0).status == sandbox::WebhookStatus::active);
}

TEST_CASE("a webhook is told of creations, retirements and revivals, and not of what a creation sets") {
    HookReceiver receiver;
    Studio studio;
    studio.site.add_webhook({.url = receiver.url(), .entity_types = {"Shot"}});
    const auto shot = studio.site.create(
        studio.ada, "Shot", {{"code", "b"}, {"project", sandbox::link_to("Project", studio.project)}});
    studio.site.create(studio.ada, "Sequence",
                       {{"code", "s"}, {"project", sandbox::link_to("Project", studio.project)}});
    studio.site.remove(studio.ada, "Shot", shot);
    studio.site.revive(studio.ada, "Shot", shot);
    REQUIRE(wait_for([&] { return receiver.posts().size() == 5; }));
    std::vector<std::string> operations;
    for (const auto& post : receiver.posts()) {
        operations.push_back(data_of(post)["operation"].get<std::string>());
        CHECK(post.header("x-sg-signature").empty());
    }
    CHECK(operations == std::vector<std::string>{"create", "delete", "update", "update", "revive"});
}

TEST_CASE("a batched webhook gets at most 50 events at a time, a hidden row when it is shown") {
    HookReceiver receiver;
    Studio studio;
    const auto hidden = studio.site.newest_id() + 1;
    studio.site.add_webhook({.url = receiver.url(), .batched = true});
    studio.site.hide_next(1);
    sandbox::EventSpec event;
    event.entity = sandbox::link_to("Shot", studio.shot);
    studio.site.add_events(121, event);
    const auto told = [&] {
        std::multiset<sandbox::Id> ids;
        for (const auto& post : receiver.posts()) {
            const auto deliveries = data_of(post)["deliveries"];
            CHECK(deliveries.size() <= 50);
            for (const auto& data : deliveries) ids.insert(data["event_log_entry_id"].get<sandbox::Id>());
        }
        return ids;
    };
    REQUIRE(wait_for([&] { return told().size() == 120; }));
    CHECK(told().count(hidden) == 0);
    studio.site.show(hidden);
    REQUIRE(wait_for([&] { return told().size() == 121; }));
    CHECK(told().count(hidden) == 1);
}

TEST_CASE("a delivery that fails is tried again as often as was asked for, and by hand") {
    std::atomic<int> asked = 0;
    HookReceiver receiver([&](const auto&) { return ++asked <= 3 ? 500 : 200; });
    Studio studio;
    studio.site.add_webhook({.url = receiver.url(), .attempts = 3, .retry_pause = 1ms});
    studio.set_status("ip");
    REQUIRE(wait_for([&] {
        const auto deliveries = studio.site.webhook_deliveries();
        return deliveries.size() == 1 && deliveries[0].done;
    }));
    auto delivery = studio.site.webhook_deliveries()[0];
    CHECK(delivery.attempts == 3);
    CHECK_FALSE(delivery.delivered);
    CHECK(delivery.response_code == 500);
    CHECK(studio.site.webhooks()[0].status == sandbox::WebhookStatus::unstable);
    REQUIRE(studio.site.redeliver(delivery.id));
    REQUIRE(wait_for([&] { return studio.site.webhook_deliveries()[0].delivered; }));
    const auto posts = receiver.posts();
    REQUIRE(posts.size() == 4);
    CHECK(posts[3].body == posts[0].body);
    CHECK(posts[3].header("x-sg-delivery-id") == delivery.id);
    CHECK_FALSE(studio.site.redeliver("no such delivery"));
}

TEST_CASE("a receiver that does not answer costs a delivery its time limit and no more") {
    HookReceiver receiver(
        [](const auto& post) { return data_of(post)["meta"]["new_value"] == "ip" ? 0 : 200; });
    Studio studio;
    studio.site.add_webhook({.url = receiver.url(), .time_limit = 50ms});
    studio.set_status("ip");
    studio.set_status("rev");
    REQUIRE(wait_for([&] { return receiver.posts().size() == 2; }));
    REQUIRE(wait_for([&] { return studio.site.webhook_deliveries()[1].done; }));
    CHECK(studio.site.webhook_deliveries()[0].response_code == 0);
    CHECK(studio.site.webhook_deliveries()[1].delivered);
}

TEST_CASE("a hundred failures in a day end a webhook until somebody enables it again") {
    std::atomic<int> status = 500;
    HookReceiver receiver([&](const auto&) { return status.load(); });
    Studio studio;
    const auto hook = studio.site.add_webhook({.url = receiver.url()});
    sandbox::EventSpec event;
    event.entity = sandbox::link_to("Shot", studio.shot);
    studio.site.add_events(150, event);
    REQUIRE(wait_for([&] { return studio.site.webhooks()[0].status == sandbox::WebhookStatus::failed; }));
    CHECK(receiver.posts().size() == 100);
    CHECK(studio.site.webhooks()[0].waiting == 0);
    status = 200;
    CHECK(studio.site.enable_webhook(hook, true));
    REQUIRE(wait_for([&] { return receiver.posts().size() == 101; }));
    const auto data = data_of(receiver.posts().back());
    CHECK(data["event_type"] == "Webhook_Status_Change");
    CHECK(data["id"] == "0");
    CHECK(data["event_log_entry_id"] == 0);
    CHECK(data["meta"]["new_value"] == "active");
    CHECK(data["previous_webhook_status"] == "failed");
    CHECK(studio.site.enable_webhook(hook, false));
    studio.set_status("ip");
    REQUIRE(wait_for([&] { return receiver.posts().size() == 102; }));
    CHECK(data_of(receiver.posts().back())["webhook_status"] == "disabled");
    CHECK(studio.site.remove_webhook(hook));
    CHECK_FALSE(studio.site.remove_webhook(hook));
}

TEST_CASE("a delivery can be lost, come late, come twice, and be forged") {
    HookReceiver receiver;
    Studio studio;
    studio.site.add_webhook({.url = receiver.url(), .token = "t"});
    studio.site.spoil_deliveries(WebhookFault::lost);
    const auto begin = std::chrono::steady_clock::now();
    studio.site.spoil_deliveries(WebhookFault::delayed, 1, 300ms);
    studio.site.spoil_deliveries(WebhookFault::twice);
    studio.site.spoil_deliveries(WebhookFault::forged);
    sandbox::EventSpec event;
    event.entity = sandbox::link_to("Shot", studio.shot);
    const auto first = studio.site.add_events(5, event);
    REQUIRE(wait_for([&] { return receiver.posts().size() == 6; }));
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
    const auto posts = receiver.posts();
    std::multiset<sandbox::Id> honest;
    std::size_t forged = 0;
    for (const auto& post : posts) {
        if (post.header("x-sg-signature") == signature("t", post.body))
            honest.insert(data_of(post)["event_log_entry_id"].get<sandbox::Id>() - first);
        else
            ++forged;
    }
    CHECK(honest == std::multiset<sandbox::Id>{1, 2, 2, 3, 4});
    CHECK(forged == 1);
    std::set<std::string> bodies, deliveries;
    for (const auto& post : posts) {
        bodies.insert(post.body);
        deliveries.insert(post.header("x-sg-delivery-id"));
    }
    CHECK(bodies.size() == 5);      // the second copy is the first one word for word
    CHECK(deliveries.size() == 4);  // and the forger knows an id that was used
}

TEST_CASE("a body above 1 MB loses its values and says so") {
    HookReceiver receiver;
    Studio studio;
    studio.site.add_webhook({.url = receiver.url()});
    sandbox::EventSpec event;
    event.entity = sandbox::link_to("Shot", studio.shot);
    event.meta = {
        {"type", "attribute_change"}, {"new_value", std::string(1'100'000, 'x')}, {"old_value", nullptr}};
    studio.site.add_event(event);
    REQUIRE(wait_for([&] { return receiver.posts().size() == 1; }));
    const auto data = data_of(receiver.posts()[0]);
    CHECK(data.contains("warning"));
    CHECK_FALSE(data["meta"].contains("new_value"));
    CHECK(data["meta"]["type"] == "attribute_change");
}

TEST_CASE("more events than a webhook may have waiting are counted and not kept") {
    HookReceiver receiver([](const auto&) { return 0; });
    Studio studio;
    studio.site.add_webhook({.url = receiver.url(), .time_limit = 60s});
    sandbox::EventSpec event;
    event.entity = sandbox::link_to("Shot", studio.shot);
    studio.site.add_events(10'100, event);
    REQUIRE(wait_for([&] { return studio.site.webhooks()[0].dropped > 0; }));
    CHECK(studio.site.webhooks()[0].waiting <= 10'050);
}

TEST_CASE("webhooks can be set up and spoilt over the control door") {
    HookReceiver receiver;
    Studio studio;
    RawClient client(studio.site.url());
    const auto control = [&](const Json& command) {
        return client.post("/sandbox/control", command.dump()).json();
    };
    const auto hook = control({{"command", "add_webhook"}, {"url", receiver.url()}, {"token", "t"}})["id"];
    control({{"command", "spoil_deliveries"}, {"kind", "twice"}});
    studio.set_status("ip");
    REQUIRE(wait_for([&] { return receiver.posts().size() == 2; }));
    const auto told = [&] { return control({{"command", "deliveries"}})["deliveries"]; };
    REQUIRE(wait_for([&] { return told()[0]["done"] == true; }));
    CHECK(control({{"command", "redeliver"}, {"id", told()[0]["id"]}})["done"] == true);
    REQUIRE(wait_for([&] { return receiver.posts().size() == 3; }));
    CHECK(control({{"command", "webhooks"}})["webhooks"][0]["status"] == "active");
    CHECK(control({{"command", "enable_webhook"}, {"id", hook}, {"enabled", false}})["done"] == true);
    CHECK(control({{"command", "remove_webhook"}, {"id", hook}})["done"] == true);
    CHECK(control({{"command", "spoil_deliveries"}, {"kind", "burnt"}}).contains("error"));
}

}  // namespace webhooks_test
