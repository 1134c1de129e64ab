// What goes wrong on request goes wrong exactly so.
#include <thread>

#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"
#include "util/clock.hpp"
#include "wait_for.hpp"

namespace faults_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using sandbox::Fault;
using sandbox::FaultKind;
using Ids = std::vector<std::int64_t>;

namespace {

Json poll(std::int64_t after = 0) {
    return {
        {"type", "EventLogEntry"},
        {"return_fields", {"id", "event_type"}},
        {"filters", {{"logical_operator", "and"}, {"conditions", {condition("id", "greater_than", after)}}}}};
}

Ids ids_of(const RawAnswer& answer) { return ids(answer.json()["results"]["entities"]); }

struct SiteWithEvents {
    SiteWithEvents() { site.add_events(4, "A_B_C"); }
    sandbox::Site site;
    RawClient client{site.url()};
};

}  // namespace

TEST_CASE("a status is answered as often as it was asked for, with its Retry-After") {
    SiteWithEvents s;
    for (const auto code : {500U, 401U, 403U, 404U, 502U, 504U, 429U, 503U}) {
        const auto fault = s.site.inject(Fault::status(code).retry_after(7s).on("read").times(2));
        for (int i = 0; i < 2; ++i) {
            const auto answer = s.client.call("read", poll());
            CHECK(answer.status == static_cast<long>(code));
            CHECK(answer.headers.at("retry-after") == "7");
            CHECK(answer.headers.count("date") == 1);
        }
        CHECK(s.client.call("read", poll()).status == 200);
        CHECK(s.site.met(fault) == 2);
    }
}

TEST_CASE("a fault meets only the requests it names") {
    SiteWithEvents s;
    s.site.add_script("other", "k");
    s.site.inject(Fault::status(500).on("read", "Shot").until_cleared());
    s.site.inject(Fault::status(501).from("other").until_cleared());
    s.site.inject(Fault::status(502)
                      .when([](const auto& r) { return r.filter_ids("greater_than") == Ids{2}; })
                      .until_cleared());
    CHECK(s.client.call("read", poll()).status == 200);
    CHECK(s.client.call("read", {{"type", "Shot"}}).status == 500);
    CHECK(s.client.call("read", poll(), {{"script_name", "other"}, {"script_key", "k"}}).status == 501);
    CHECK(s.client.call("read", poll(2)).status == 502);
    s.site.clear_faults();
    CHECK(s.client.call("read", poll(2)).status == 200);
}

TEST_CASE("a refused connection is refused until the site accepts again, on the same port") {
    SiteWithEvents s;
    REQUIRE(s.client.call("read", poll()).status == 200);
    s.site.refuse_connections();
    CHECK(s.client.call("read", poll()).error == CURLE_COULDNT_CONNECT);
    CHECK(s.client.call("read", poll()).error == CURLE_COULDNT_CONNECT);
    s.site.accept_connections();
    CHECK(s.client.call("read", poll()).status == 200);
    s.site.refuse_connections();
    CHECK(s.client.call("read", poll()).error == CURLE_COULDNT_CONNECT);
    s.site.accept_connections();
    CHECK(s.client.call("read", poll()).status == 200);
}

TEST_CASE("a connection may be made and never read, until the site accepts again") {
    SiteWithEvents s;
    s.site.ignore_connections();
    const auto answer = s.client.call("read", poll(), nullptr, 200ms);
    CHECK(answer.error == CURLE_OPERATION_TIMEDOUT);
    CHECK(answer.new_connections == 1);
    CHECK(s.site.request_count() == 0);
    s.site.accept_connections();
    CHECK(s.client.call("read", poll()).status == 200);
}

TEST_CASE("a request may be read and never answered, and the journal knows that its client left") {
    SiteWithEvents s;
    s.site.inject(Fault::never_answer());
    CHECK(s.client.call("read", poll(), nullptr, 200ms).error == CURLE_OPERATION_TIMEDOUT);
    CHECK(s.client.call("read", poll()).status == 200);
    const auto seen = s.site.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].fault == "never_answer");
    CHECK(wait_for([&] { return seen[0].fate->client_left.load(); }));
    CHECK(wait_for([&] { return seen[1].fate->answered.load(); }));
    CHECK(seen[0].connection != seen[1].connection);
}

TEST_CASE("an answer may hang or be cut in mid-body") {
    SiteWithEvents s;
    const auto whole = s.client.call("read", poll()).body;
    s.site.inject(Fault::hang_in_body());
    auto answer = s.client.call("read", poll(), nullptr, 300ms);
    CHECK(answer.error == CURLE_OPERATION_TIMEDOUT);
    CHECK(answer.body == whole.substr(0, whole.size() / 2));
    s.site.inject(Fault::cut_in_body());
    answer = s.client.call("read", poll());
    CHECK(answer.error == CURLE_PARTIAL_FILE);
    CHECK(answer.body == whole.substr(0, whole.size() / 2));
}

TEST_CASE("a dripped answer is whole in the end, and not before its time") {
    SiteWithEvents s;
    s.site.inject(Fault::drip(2ms));
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = s.client.call("info", nullptr);
    CHECK(answer.status == 200);
    CHECK(answer.json().contains("version"));
    CHECK(std::chrono::steady_clock::now() - begin >= 2ms * static_cast<int>(answer.body.size()));
}

TEST_CASE("a connection closed before the answer loses a write, or only its answer") {
    SiteWithEvents s;
    const Json project{{"type", "Project"}, {"fields", {{{"field_name", "name"}, {"value", "Aurora"}}}}};
    s.site.inject(Fault::close().on("create"));
    CHECK(s.client.call("create", project).error != CURLE_OK);
    CHECK(s.client.rows("Project", {}, {"id"}).empty());
    s.site.inject(Fault::close().on("create").and_acts());
    RawClient fresh(s.site.url());  // on a connection used before, libcurl would send the request again
    CHECK(fresh.call("create", project).error != CURLE_OK);
    CHECK(s.client.rows("Project", {}, {"id"}).size() == 1);
}

TEST_CASE("a kept-alive connection may go silent while new ones work") {
    SiteWithEvents s;
    RawClient other(s.site.url());
    REQUIRE(s.client.call("read", poll()).status == 200);
    s.site.silence_connections();
    const auto silent = s.client.call("read", poll(), nullptr, 200ms);
    CHECK(silent.error == CURLE_OPERATION_TIMEDOUT);
    CHECK(silent.new_connections == 0);
    CHECK(other.call("read", poll()).status == 200);
}

TEST_CASE("an idle connection may be closed under its client") {
    SiteWithEvents s;
    REQUIRE(s.client.call("read", poll()).new_connections == 1);
    CHECK(s.client.call("read", poll()).new_connections == 0);
    s.site.close_connections();
    CHECK(wait_for([&] { return s.site.connections() == 0; }));
    const auto again = s.client.call("read", poll());
    CHECK(again.status == 200);
    CHECK(again.new_connections == 1);
}

TEST_CASE("bodies may be a page of HTML, half of the JSON, no JSON, or anything") {
    SiteWithEvents s;
    s.site.inject(Fault::html());
    auto answer = s.client.call("read", poll());
    CHECK(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "text/html");
    s.site.inject(Fault::of(FaultKind::truncated_json));
    answer = s.client.call("read", poll());
    CHECK(answer.error == CURLE_OK);
    CHECK_FALSE(Json::accept(answer.body));
    s.site.inject(Fault::of(FaultKind::invalid_json));
    CHECK_FALSE(Json::accept(s.client.call("read", poll()).body));
    s.site.inject(Fault::body(R"({"results":{"entities":[{"id":"x"}]}})"));
    CHECK(s.client.call("read", poll()).json()["results"]["entities"][0]["id"] == "x");
}

TEST_CASE("rows may come reversed, twice, from below, or with a field nobody asked for") {
    SiteWithEvents s;
    s.site.inject(Fault::of(FaultKind::rows_reversed));
    CHECK(ids_of(s.client.call("read", poll())) == Ids{4, 3, 2, 1});
    s.site.inject(Fault::of(FaultKind::row_twice));
    CHECK(ids_of(s.client.call("read", poll())) == Ids{1, 2, 3, 4, 1});
    s.site.inject(Fault::of(FaultKind::row_below));
    CHECK(ids_of(s.client.call("read", poll(2))) == Ids{2, 3, 4});
    s.site.inject(Fault::of(FaultKind::row_below));
    CHECK(ids_of(s.client.call("read", poll(4))) == Ids{4});
    s.site.inject(Fault::of(FaultKind::unknown_field));
    const auto answer = s.client.call("read", poll()).json();
    CHECK(answer["results"]["entities"][3].contains("sg_unheard_of"));
}

TEST_CASE("a compressed answer says so and decodes to the same") {
    SiteWithEvents s;
    const auto plain = s.client.call("read", poll());
    s.site.inject(Fault::gzipped());
    const auto packed = s.client.call("read", poll());
    CHECK(packed.headers.at("content-encoding") == "gzip");
    CHECK(packed.body == plain.body);
}

TEST_CASE("a gate holds an answer that was made before it, until it opens") {
    SiteWithEvents s;
    const auto gate = std::make_shared<sandbox::Gate>();
    s.site.inject(Fault::honest().behind(gate).on("read"));
    RawAnswer held;
    std::jthread caller([&] { held = s.client.call("read", poll()); });
    REQUIRE(gate->wait_held(1));
    s.site.add_events(1, "A_B_C");
    RawClient other(s.site.url());
    CHECK(ids_of(other.call("read", poll())).size() == 5);
    CHECK_FALSE(s.site.requests().front().fate->answered);
    gate->open();
    caller.join();
    CHECK(ids_of(held) == Ids{1, 2, 3, 4});
    CHECK_FALSE(s.site.saw_interleaving());
}

TEST_CASE("a site may go while answers are held, and its gates open afterwards") {
    const auto gate = std::make_shared<sandbox::Gate>();
    RawAnswer answer;
    std::jthread caller;
    {
        SiteWithEvents s;
        s.site.inject(Fault::honest().behind(gate));
        caller = std::jthread([&, client = std::make_shared<RawClient>(s.site.url())] {
            answer = client->call("read", poll());
        });
        REQUIRE(gate->wait_held(1));
    }
    caller.join();
    CHECK(answer.error != CURLE_OK);
    gate->open();
}

TEST_CASE("a delayed answer comes after its delay") {
    SiteWithEvents s;
    s.site.inject(Fault::honest().after(80ms));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(s.client.call("read", poll()).status == 200);
    CHECK(std::chrono::steady_clock::now() - begin >= 80ms);
}

TEST_CASE("the journal tells who asked what, and counts it") {
    SiteWithEvents s;
    s.client.call("read", poll(3),
                  {{"script_name", "sandbox"}, {"script_key", "sandbox-key"}, {"session_uuid", "u-1"}});
    s.client.call("read", {{"type", "Shot"}});
    const auto seen = s.site.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].reads_events());
    CHECK(seen[0].script == "sandbox");
    CHECK(seen[0].session_uuid == "u-1");
    CHECK(seen[0].filter_ids("greater_than") == Ids{3});
    CHECK(seen[0].at <= seen[1].at);
    CHECK(s.site.request_count() == 2);
    CHECK(s.site.request_count("read", "EventLogEntry") == 1);
    CHECK(s.site.request_count("read", {}, "nobody") == 0);
}

TEST_CASE("a second request before the first answer is noticed") {
    SiteWithEvents s;
    const std::string body = R"({"method_name":"info","params":[]})";
    const std::string request =
        "POST /api3/json HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> raw(curl_easy_init(), curl_easy_cleanup);
    curl_easy_setopt(raw.get(), CURLOPT_URL, s.site.url().c_str());
    curl_easy_setopt(raw.get(), CURLOPT_CONNECT_ONLY, 1L);
    REQUIRE(curl_easy_perform(raw.get()) == CURLE_OK);
    const auto twice = request + request;
    std::size_t sent = 0;
    REQUIRE(curl_easy_send(raw.get(), twice.data(), twice.size(), &sent) == CURLE_OK);
    CHECK(wait_for([&] { return s.site.request_count() == 2; }));
    CHECK(s.site.saw_interleaving());
}

TEST_CASE("the site's clock moves as it is told, in rows and in the Date header") {
    ManualClock clock;
    sandbox::Site site({.clock = &clock});
    RawClient client(site.url());
    CHECK(client.call("info", nullptr).headers.at("date") == "Wed, 04 Mar 2026 00:00:00 GMT");
    clock.advance(90s);
    site.shift_clock(1h);
    site.add_event({});
    const auto rows = client.rows("EventLogEntry", {}, {"created_at"});
    CHECK(rows[0]["created_at"] == "2026-03-04T01:01:30Z");
}

TEST_CASE("a connection can break with a reset, which is not the same as being closed") {
    SiteWithEvents s;
    s.site.inject(Fault::reset().times(1));
    CHECK(s.client.call("read", poll()).error == CURLE_RECV_ERROR);
    s.site.inject(Fault::close().times(1));
    CHECK(s.client.call("read", poll()).error == CURLE_GOT_NOTHING);
    CHECK(s.client.call("read", poll()).status == 200);
}

TEST_CASE("C61 an answer can lack its Date, or have one that is off by a day") {
    SiteWithEvents s;
    s.site.inject(Fault::honest().without_date());
    const auto without = s.client.call("read", poll());
    CHECK(without.headers.count("date") == 0);
    CHECK(ids_of(without) == Ids{1, 2, 3, 4});
    s.site.inject(Fault::honest().with_date_off_by(24h));
    const auto off = s.client.call("read", poll()).headers.at("date");
    CHECK(::curl_getdate(off.c_str(), nullptr) - s.site.now().time_since_epoch().count() > 23 * 3600);
}

TEST_CASE("a fault can meet every so-manieth request") {
    SiteWithEvents s;
    const auto fault = s.site.inject(Fault::status(500).on("read").every(3).until_cleared());
    std::vector<long> statuses;
    for (int i = 0; i < 7; ++i) statuses.push_back(s.client.call("read", poll()).status);
    CHECK(statuses == std::vector<long>{500, 200, 200, 500, 200, 200, 500});
    CHECK(s.site.met(fault) == 3);
}

TEST_CASE("the site can refuse any call with any code and text") {
    SiteWithEvents s;
    s.site.inject(Fault::refused(104, "API update() you may not do that").on("update"));
    const auto answer = s.client.call("update", {{"type", "Shot"}, {"id", 1}, {"fields", Json::array()}});
    CHECK(answer.status == 200);
    CHECK(answer.json() ==
          Json({{"exception", true}, {"message", "API update() you may not do that"}, {"error_code", 104}}));
}

TEST_CASE("the site's clock can be slow, stand still, and go on from where it is") {
    ManualClock clock;
    sandbox::Site site({.clock = &clock});
    const auto begin = site.now();
    clock.advance(10s);
    CHECK(site.now() - begin == 10s);
    site.set_clock_rate(0.5);
    clock.advance(10s);
    CHECK(site.now() - begin == 15s);
    site.set_clock_rate(0);
    clock.advance(10s);
    CHECK(site.now() - begin == 15s);
    site.set_clock_rate(1);
    site.shift_clock(-3600s);
    clock.advance(10s);
    CHECK(site.now() - begin == 25s - 3600s);
}

TEST_CASE("a hidden row can be shown by the clock") {
    SiteWithEvents s;
    s.site.hide(3);
    CHECK(ids_of(s.client.call("read", poll())) == Ids{1, 2, 4});
    s.site.show_later(3, 20ms);
    CHECK(wait_for([&] { return ids_of(s.client.call("read", poll())) == Ids{1, 2, 3, 4}; }));
}

}  // namespace faults_test
