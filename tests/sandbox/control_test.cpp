// The control endpoint, for tests that run the sandbox as a program.
#include <thread>

#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"
#include "wait_for.hpp"

namespace control_test {

using namespace sg;
using namespace sg::test;
using Ids = std::vector<std::int64_t>;

namespace {
struct Controlled {
    Json tell(const Json& command) {
        return RawClient(site.url()).post("/sandbox/control", command.dump()).json();
    }
    sandbox::Site site;
    RawClient client{site.url()};
};
}  // namespace

TEST_CASE("control adds events with chosen ids, hides and shows them") {
    Controlled c;
    CHECK(c.tell({{"command", "add_event"},
                  {"id", 40},
                  {"event_type", nullptr},
                  {"created_at", "2026-03-04T05:06:07Z"}})["id"] == 40);
    CHECK(
        c.tell(
            {{"command", "add_events"}, {"count", 3}, {"event_type", "A_B_C"}, {"meta", {{"k", 1}}}})["id"] ==
        41);
    c.tell({{"command", "hide"}, {"id", 43}});
    CHECK(c.tell({{"command", "newest_id"}})["id"] == 42);
    CHECK(c.tell({{"command", "show"}, {"id", 43}})["done"] == true);
    CHECK(c.tell({{"command", "event_count"}})["count"] == 4);
    const auto rows = c.client.rows("EventLogEntry", {}, {"event_type", "created_at", "meta"});
    CHECK(ids(rows) == Ids{40, 41, 42, 43});
    CHECK(rows[0]["event_type"].is_null());
    CHECK(rows[0]["created_at"] == "2026-03-04T05:06:07Z");
    CHECK(rows[3]["meta"]["k"] == 1);
}

TEST_CASE("control writes as people, whose changes are in the log") {
    Controlled c;
    const auto person = c.site.add_person("Rhea Voss", "rhea");
    const Json user{{"type", "HumanUser"}, {"id", person}};
    const auto made = c.tell(
        {{"command", "create"}, {"user", user}, {"type", "Project"}, {"fields", {{"name", "Aurora"}}}});
    CHECK(made["event"] == 1);
    const auto changed = c.tell({{"command", "update"},
                                 {"user", user},
                                 {"type", "Project"},
                                 {"id", made["id"]},
                                 {"fields", {{"code", "aur"}}}});
    const auto rows =
        c.client.rows("EventLogEntry", {condition("id", "is", changed["event"])}, {"user", "attribute_name"});
    CHECK(rows[0]["user"]["name"] == "Rhea Voss");
    CHECK(rows[0]["attribute_name"] == "code");
    CHECK(
        c.tell({{"command", "value"}, {"type", "Project"}, {"id", made["id"]}, {"field", "code"}})["value"] ==
        "aur");
    CHECK(c.tell({{"command", "delete"}, {"user", user}, {"type", "Project"}, {"id", made["id"]}})["done"] ==
          true);
}

TEST_CASE("control injects faults and counts the requests that met them") {
    Controlled c;
    const auto fault = c.tell({{"command", "inject"},
                               {"kind", "status"},
                               {"status", 503},
                               {"retry_after", "3"},
                               {"method", "read"},
                               {"times", 0}})["fault"];
    const Json read{{"type", "Shot"}};
    CHECK(c.client.call("read", read).status == 503);
    CHECK(c.client.call("read", read).headers.at("retry-after") == "3");
    CHECK(c.tell({{"command", "met"}, {"fault", fault}})["count"] == 2);
    c.tell({{"command", "clear"}, {"fault", fault}});
    CHECK(c.client.call("read", read).status == 200);
    CHECK(c.tell({{"command", "request_count"}, {"method", "read"}})["count"] == 3);
    const auto requests = c.tell({{"command", "requests"}})["requests"];
    REQUIRE(requests.size() == 3);
    CHECK(requests[0]["fault"] == "status");
    CHECK(requests[2]["script"] == "sandbox");
}

TEST_CASE("control refuses connections for a while and then accepts again") {
    Controlled c;
    CHECK(c.tell({{"command", "refuse_connections"}, {"milliseconds", 300}}).empty());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    bool refused = false, back = false;
    while (!back && std::chrono::steady_clock::now() < until) {
        const auto answer = RawClient(c.site.url()).call("info", nullptr);
        refused = refused || answer.error == CURLE_COULDNT_CONNECT;
        back = refused && answer.status == 200;
    }
    CHECK(refused);
    CHECK(back);
}

TEST_CASE("control says what it does not understand") {
    Controlled c;
    for (const auto* body :
         {"nonsense", "{}", R"({"command":"dance"})", R"({"command":"hide"})",
          R"({"command":"inject","kind":"flood"})", R"({"command":"add_event","created_at":"soon"})"}) {
        const auto answer = c.client.post("/sandbox/control", body);
        CHECK(answer.status == 400);
        CHECK(answer.json().contains("error"));
    }
    CHECK(c.client.post("/elsewhere", "{}").status == 404);
}

TEST_CASE("control says who may do what") {
    Controlled c;
    c.site.add_event({});
    c.site.add_person("Rhea Voss", "rhea", "pass");
    const Json rhea{{"user_login", "rhea"}, {"user_password", "pass"}},
        blind{{"script_name", "b"}, {"script_key", "k"}};
    const auto code = [&](const Json& auth) {
        return c.client.call("read", {{"type", "Project"}}, auth).json().value("error_code", 0);
    };
    c.tell({{"command", "add_script"}, {"name", "b"}, {"key", "k"}, {"reads_events", false}});
    CHECK(c.client.call("read", {{"type", "EventLogEntry"}}, blind).json()["results"]["entities"].empty());
    c.tell({{"command", "require_code"}, {"login", "rhea"}, {"code", "1"}});
    CHECK(code(rhea) == 106);
    c.tell({{"command", "require_code"}, {"login", "rhea"}});
    CHECK(code(rhea) == 0);
    const auto token =
        c.client.call("get_session_token", Json::object(), rhea).json()["results"]["session_id"];
    c.tell({{"command", "expire_sessions"}});
    CHECK(code({{"session_token", token}}) == 102);
    c.tell({{"command", "refuse_passwords"}, {"fault", 110}});
    CHECK(code(rhea) == 110);
}

TEST_CASE("control holds an answer behind a gate until it is opened") {
    Controlled c;
    c.tell({{"command", "inject"}, {"kind", "none"}, {"method", "read"}, {"gate", "door"}});
    long status = 0;
    std::jthread asker([&] { status = RawClient(c.site.url()).call("read", {{"type", "Shot"}}).status; });
    REQUIRE(wait_for([&] { return c.tell({{"command", "gate_held"}, {"gate", "door"}})["count"] == 1; }));
    CHECK(c.tell({{"command", "open_gate"}, {"gate", "door"}})["count"] == 1);
    asker.join();
    CHECK(status == 200);
    CHECK(c.tell({{"command", "open_gate"}, {"gate", "door"}}).contains("error"));
}

TEST_CASE("control makes the site refuse, forget a key, show a row later, and slows its clock") {
    Controlled c;
    c.tell({{"command", "inject"},
            {"kind", "refused"},
            {"code", 104},
            {"text", "no"},
            {"each", 2},
            {"times", 0}});
    CHECK(c.client.call("read", {{"type", "Shot"}}).json()["error_code"] == 104);
    CHECK(c.client.call("read", {{"type", "Shot"}}).json().contains("results"));
    c.tell({{"command", "clear_faults"}});
    c.tell({{"command", "inject"}, {"kind", "none"}, {"dated", false}});
    CHECK(c.client.call("read", {{"type", "Shot"}}).headers.count("date") == 0);
    const auto event = c.tell({{"command", "add_event"}, {"hidden", true}})["id"];
    c.tell({{"command", "show_later"}, {"id", event}, {"milliseconds", 1}});
    CHECK(wait_for([&] { return c.tell({{"command", "newest_id"}})["id"] == event; }));
    c.tell({{"command", "set_clock_rate"}, {"rate", 0}});
    c.tell({{"command", "remove_script_key"}, {"name", "sandbox"}});
    CHECK(c.client.call("read", {{"type", "Shot"}}).json()["error_code"] == 102);
}

}  // namespace control_test
