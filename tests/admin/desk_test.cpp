// Which request gets which answer.

#include "admin/desk.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "catch.hpp"

using namespace sg;
using namespace std::chrono_literals;

namespace {

/// A daemon that consists of what the test says.
class Told final : public admin::Controls {
public:
    std::shared_ptr<const admin::Snapshot> snapshot() const override { return last; }
    std::chrono::milliseconds loop_age() const override { return age; }
    void poll_now(const std::string& caller) override { done.push_back("poll by " + caller); }
    void reload(const std::string& plugin, const std::string& caller) override {
        done.push_back("reload " + plugin + " by " + caller);
    }
    std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> dead_letters() const override {
        return letters;
    }
    void retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller) override {
        done.push_back("retry " + choice.plugin + " by " + caller);
    }
    void drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller) override {
        done.push_back("drop " + std::to_string(choice.event.value_or(0)) + " by " + caller);
    }
    void set_log_level(LogLevel level, const std::string& plugin, const std::string& caller) override {
        done.push_back("level " + std::to_string(static_cast<int>(level)) + " of [" + plugin + "] by " +
                       caller);
    }
    std::uint64_t order(const admin::Order& order, const std::string& caller) override {
        orders.push_back(order);
        done.push_back("order by " + caller);
        return orders.size();
    }
    std::optional<admin::OrderState> order_state(std::uint64_t number) const override {
        if (number == 0 || number > orders.size()) return std::nullopt;
        return state;
    }
    void on_wrong_token(const std::string& caller) override { done.push_back("wrong token by " + caller); }
    std::vector<admin::Order> orders;
    admin::OrderState state;
    std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> letters;
    std::shared_ptr<const admin::Snapshot> last;
    std::chrono::milliseconds age{0};
    std::vector<std::string> done;
};

admin::Snapshot well() {
    admin::Snapshot snapshot;
    snapshot.daemon.version = "1.2.3";
    snapshot.daemon.site = "https://site.example";
    snapshot.stream.state = "level";
    snapshot.stream.highest = 9'000'000'000;
    snapshot.stream.polls = 5;
    admin::PluginView plugin;
    plugin.plugin = "quote\" back\\slash";
    plugin.state = "running";
    plugin.generation = 1;
    plugin.succeeded = 41;
    plugin.failed = 1;
    plugin.dead_letters = 2;
    for (const double took : {0.001, 0.005, 0.2, 7200.0, -1.0}) plugin.call_times.add(took);
    snapshot.plugins.push_back(plugin);
    return snapshot;
}

admin::Request get(const std::string& path) { return {"GET", path, {}, {}}; }

admin::Request post(const std::string& path, const std::string& body = {}) {
    return {"POST", path, body, {true, 1000, 4711}};
}

}  // namespace

TEST_CASE("status is told whole, ids beyond 32 bits and odd names included") {
    Told daemon;
    const admin::Desk desk(daemon);
    CHECK(desk.answer(get("/api/status")).status == 503);
    daemon.last = std::make_shared<admin::Snapshot>(well());
    const auto answer = desk.answer(get("/api/status"));
    REQUIRE(answer.status == 200);
    const auto status = nlohmann::json::parse(answer.body);
    CHECK(status.at("stream").at("highest") == 9'000'000'000);
    CHECK(status.at("plugins").at(0).at("plugin") == "quote\" back\\slash");
    CHECK(status.at("plugins").at(0).at("dead_letters") == 2);
    CHECK(status.at("ready") == true);
}

TEST_CASE("readiness names what is missing, liveness only asks whether the loop turns") {
    Told daemon;
    const admin::Desk desk(daemon);
    auto snapshot = well();
    daemon.last = std::make_shared<admin::Snapshot>(snapshot);
    CHECK(desk.answer(get("/readyz")).status == 200);
    SECTION("the site is down") {
        snapshot.stream.in_trouble = true;
        snapshot.stream.state = "down";
        daemon.last = std::make_shared<admin::Snapshot>(snapshot);
        CHECK(desk.answer(get("/readyz")).status == 503);
        CHECK(desk.answer(get("/readyz")).body == "the site does not answer: down\n");
    }
    SECTION("a plugin cannot be loaded") {
        snapshot.plugins[0].state = "failed to load";
        daemon.last = std::make_shared<admin::Snapshot>(snapshot);
        CHECK(desk.answer(get("/readyz")).body == "quote\" back\\slash: failed to load\n");
    }
    CHECK(desk.answer(get("/healthz")).status == 200);
    daemon.age = 10s;
    CHECK(desk.answer(get("/healthz")).status == 503);
}

TEST_CASE("dead letters are listed to whoever looks, and changed on the socket with a choice alone") {
    Told daemon;
    const admin::Desk desk(daemon);
    daemon.last = std::make_shared<admin::Snapshot>(well());
    CHECK(nlohmann::json::parse(desk.answer(get("/api/dead-letters")).body).at("in_all") == 0);
    checkpoint::DeadLetter letter;
    letter.plugin = "p";
    letter.event = 9'000'000'000;
    letter.callback = "on_status";
    letter.body = R"({"id":9000000000})";
    letter.history.add({1, {}, Cause::invalid, false, "no such tool"});
    daemon.letters = std::make_shared<std::vector<checkpoint::DeadLetterPtr>>(
        1, std::make_shared<const checkpoint::DeadLetter>(letter));
    const auto brief = nlohmann::json::parse(desk.answer(get("/api/dead-letters")).body);
    CHECK(brief.at("in_all") == 1);
    CHECK(brief.at("letters").at(0).at("error") == "no such tool");
    CHECK_FALSE(brief.at("letters").at(0).contains("row"));
    const auto full = desk.answer(post("/api/dead-letters/list", R"({"event": 9000000000})"));
    CHECK(nlohmann::json::parse(full.body).at("letters").at(0).at("row").at("id") == 9'000'000'000);
    CHECK(nlohmann::json::parse(desk.answer(post("/api/dead-letters/list", R"({"plugin": "q"})")).body)
              .at("letters")
              .empty());

    auto from_port = post("/api/dead-letters/retry", R"({"all": true})");
    from_port.caller = {};
    CHECK(desk.answer(from_port).status == 403);
    for (const auto* body :
         {"", "{}", "[]", "{", R"({"event": "1"})", R"({"all": false})", R"({"plugins": "p"})"})
        CHECK(desk.answer(post("/api/dead-letters/retry", body)).status == 400);
    CHECK(desk.answer(post("/api/dead-letters/eat", R"({"all": true})")).status == 404);
    CHECK(desk.answer(post("/api/dead-letters/drop", R"({"event": 7})")).status == 404);
    CHECK(daemon.done.empty());
    CHECK(desk.answer(post("/api/dead-letters/retry", R"({"plugin": "p"})")).status == 202);
    CHECK(desk.answer(post("/api/dead-letters/drop", R"({"event": 9000000000})")).status == 202);
    REQUIRE(daemon.done.size() == 2);
    CHECK(daemon.done[0].starts_with("retry p by "));
    CHECK(daemon.done[1].starts_with("drop 9000000000 by "));
}

TEST_CASE("C140 plugins are steered on the socket, by orders that are asked after") {
    Told daemon;
    const admin::Desk desk(daemon);
    auto snapshot = well();
    snapshot.plugins[0].plugin = "recorder";
    daemon.last = std::make_shared<admin::Snapshot>(snapshot);
    auto from_port = post("/api/plugins/pause", R"({"plugin": "recorder"})");
    from_port.caller = {};
    CHECK(desk.answer(from_port).status == 403);
    for (const auto* body : {"", "{", "[]", "{}", R"({"plugin": 1})", R"({"plugin": "recorder", "to": "5"})"})
        CHECK(desk.answer(post("/api/plugins/pause", body)).status == 400);
    for (const auto* to : {"", "-5", "0", "5x", "99999999999999999999", "yesterday", "2026-02-30T00:00:00Z",
                           "2026-03-04T24:00:00Z", "2026-03-04T00:00:00", "+026-03-04"}) {
        INFO(to);
        const auto body = nlohmann::json{{"plugin", "recorder"}, {"to", to}}.dump();
        CHECK(desk.answer(post("/api/plugins/seek", body)).status == 400);
    }
    CHECK(desk.answer(post("/api/plugins/seek", R"({"plugin": "recorder"})")).status == 400);
    CHECK(desk.answer(post("/api/plugins/eat", R"({"plugin": "recorder"})")).status == 404);
    const auto unknown = desk.answer(post("/api/plugins/skip", R"({"plugin": "recoder"})"));
    CHECK(unknown.status == 404);
    CHECK(unknown.body.find("did you mean 'recorder'?") != std::string::npos);
    CHECK(daemon.orders.empty());

    const auto seek = [&](const char* to) {
        const auto body = nlohmann::json{{"plugin", "recorder"}, {"to", to}}.dump();
        CHECK(desk.answer(post("/api/plugins/seek", body)).status == 202);
        REQUIRE_FALSE(daemon.orders.empty());
        return daemon.orders.back();
    };
    CHECK(seek("9000000000").event == 9'000'000'000);
    CHECK(seek("latest").to == admin::Order::To::latest);
    CHECK(seek("earliest").to == admin::Order::To::earliest);
    const std::chrono::sys_days day = std::chrono::year(2026) / 3 / 4;
    CHECK(seek("2026-03-04").time == day);
    CHECK(seek("2026-03-04T05:06:07Z").time == day + 5h + 6min + 7s);
    CHECK(daemon.done.back().starts_with("order by uid 1000 ("));

    const auto under_way = nlohmann::json::parse(desk.answer(get("/api/orders/2")).body);
    CHECK(under_way.at("over") == false);
    daemon.state = {true, {{"done", "recorder goes on"}}};
    const auto over = nlohmann::json::parse(desk.answer(get("/api/orders/2")).body);
    CHECK(over == nlohmann::json{{"order", 2}, {"over", true}, {"done", "recorder goes on"}});
    for (const auto* number : {"", "0", "99", "-1", "2x"})
        CHECK(desk.answer(get(std::string("/api/orders/") + number)).status == 404);
}

TEST_CASE("a poll that waits is an order, and a log level is one of five") {
    Told daemon;
    const admin::Desk desk(daemon);
    daemon.last = std::make_shared<admin::Snapshot>(well());
    CHECK(desk.answer(post("/api/poll", R"({"wait": 1})")).status == 400);
    CHECK(desk.answer(post("/api/poll", R"({"wait": true})")).status == 202);
    REQUIRE(daemon.orders.size() == 1);
    CHECK(daemon.orders[0].act == admin::Order::Act::poll);
    daemon.done.clear();
    for (const auto* body : {"", "{}", R"({"level": "loud"})", R"({"level": 1})",
                             R"({"level": "info", "x": 1})", R"({"level": "info", "plugin": ""})"})
        CHECK(desk.answer(post("/api/log-level", body)).status == 400);
    CHECK(desk.answer(post("/api/log-level", R"({"level": "info", "plugin": "stranger"})")).status == 404);
    CHECK(daemon.done.empty());
    CHECK(desk.answer(post("/api/log-level", R"({"level": "debug"})")).status == 202);
    REQUIRE(daemon.done.size() == 1);
    CHECK(daemon.done[0].starts_with("level 1 of [] by uid 1000 ("));
}

TEST_CASE("metrics have conventional names, one head a family, and escaped labels") {
    Told daemon;
    const admin::Desk desk(daemon);
    auto snapshot = well();
    snapshot.plugins.push_back(snapshot.plugins[0]);
    snapshot.plugins[1].plugin = "other";
    daemon.last = std::make_shared<admin::Snapshot>(snapshot);
    const auto answer = desk.answer(get("/metrics"));
    REQUIRE(answer.status == 200);
    CHECK(answer.type.starts_with("text/plain; version=0.0.4"));
    CHECK(answer.body.find("sgeventd_stream_highest_event_id 9000000000\n") != std::string::npos);
    CHECK(answer.body.find(
              R"(sgeventd_plugin_calls_total{plugin="quote\" back\\slash",outcome="succeeded"} 41)") !=
          std::string::npos);
    CHECK(answer.body.find(R"(sgeventd_plugin_dead_letters{plugin="other"} 2)") != std::string::npos);
    for (const std::string sample :
         {R"(_bucket{plugin="other",le="0.005"} 3)", R"(_bucket{plugin="other",le="0.05"} 3)",
          R"(_bucket{plugin="other",le="0.25"} 4)", R"(_bucket{plugin="other",le="3600"} 4)",
          R"(_bucket{plugin="other",le="+Inf"} 5)", R"(_count{plugin="other"} 5)",
          R"(_sum{plugin="other"} 7200.206)"}) {
        INFO(sample);
        CHECK(answer.body.find("sgeventd_plugin_callback_duration_seconds" + sample + "\n") !=
              std::string::npos);
    }
    std::istringstream lines(answer.body);
    std::set<std::string> families;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const auto name = line.substr(7, line.find(' ', 7) - 7), type = line.substr(line.rfind(' ') + 1);
        INFO(line);
        CHECK(families.insert(name).second);
        CHECK(name.starts_with("sgeventd_"));
        CHECK(name.ends_with("_total") == (type == "counter"));
    }
    CHECK(families.size() > 15);
}

TEST_CASE("C106 the socket's caller may act and is named, the port may only look") {
    Told daemon;
    daemon.last = std::make_shared<admin::Snapshot>(well());
    const admin::Desk desk(daemon);
    for (const std::string path : {"/api/poll", "/api/reload"}) {
        auto request = post(path);
        request.caller = {};
        CHECK(desk.answer(request).status == 403);
    }
    CHECK(daemon.done.empty());
    CHECK(desk.answer(post("/api/poll")).status == 202);
    CHECK(desk.answer(post("/api/reload")).status == 202);
    CHECK(desk.answer(post("/api/reload", R"({"plugin": "quote\" back\\slash"})")).status == 202);
    REQUIRE(daemon.done.size() == 3);
    CHECK(daemon.done[0].starts_with("poll by uid 1000 ("));
    CHECK(daemon.done[1].starts_with("reload  by uid 1000 ("));
    CHECK(daemon.done[2].starts_with("reload quote\" back\\slash by uid 1000 ("));
}

TEST_CASE("with the token the port may have dead letters tried again, and nothing else") {
    Told daemon;
    daemon.last = std::make_shared<admin::Snapshot>(well());
    auto letter = std::make_shared<checkpoint::DeadLetter>();
    letter->plugin = "p";
    daemon.letters = std::make_shared<const std::vector<checkpoint::DeadLetterPtr>>(1, std::move(letter));
    admin::Desk desk(daemon);
    auto retry = post("/api/dead-letters/retry", R"({"plugin": "p"})");
    retry.caller = {};
    CHECK(desk.answer(retry).status == 403);  // also with an empty token where none is configured
    desk.accept("of-sixteen-bytes");
    for (const std::string token : {"", "of-sixteen-byte", "of-sixteen-bytez", "of-sixteen-bytes!"}) {
        INFO(token);
        retry.token = token;
        daemon.done.clear();
        CHECK(desk.answer(retry).status == 401);
        CHECK(daemon.done == std::vector<std::string>{"wrong token by the local port"});
    }
    daemon.done.clear();
    retry.token = "of-sixteen-bytes";
    for (const std::string path : {"/api/dead-letters/drop", "/api/dead-letters/list", "/api/plugins/pause",
                                   "/api/reload", "/api/poll", "/api/log-level"}) {
        auto other = retry;
        other.path = path;
        CHECK(desk.answer(other).status == 403);
    }
    CHECK(daemon.done.empty());
    CHECK(desk.answer(retry).status == 202);
    CHECK(daemon.done == std::vector<std::string>{"retry p by the local port, with the token"});
}

TEST_CASE("the status tells of recent events what each plugin did with them") {
    auto snapshot = well();
    snapshot.recent.push_back(
        {7, "Shotgun_Shot_Change", "code", std::nullopt, {{"p", "on", false, 1500us, 2}}, 0});
    const auto told = to_json(snapshot).at("recent").at(0);
    CHECK(told.at("event") == 7);
    CHECK(told.at("calls").at(0) ==
          nlohmann::json{{"plugin", "p"}, {"callback", "on"}, {"ok", false}, {"took_ms", 1.5}, {"calls", 2}});
}

TEST_CASE("requests that make no sense are refused by name and change nothing") {
    Told daemon;
    daemon.last = std::make_shared<admin::Snapshot>(well());
    const admin::Desk desk(daemon);
    CHECK(desk.answer(get("/nothing")).status == 404);
    CHECK(desk.answer(post("/nothing")).status == 404);
    CHECK(desk.answer(post("/api/reload", R"({"plugin": "stranger"})")).status == 404);
    for (const std::string body : {"{", "[]", "{}", R"({"plugin": 7})", R"({"plugin": "a", "more": 1})"})
        CHECK(desk.answer(post("/api/reload", body)).status == 400);
    auto request = get("/api/status");
    request.method = "DELETE";
    CHECK(desk.answer(request).status == 405);
    CHECK(daemon.done.empty());
}

TEST_CASE("the status page needs nothing from elsewhere") {
    Told daemon;
    const admin::Desk desk(daemon);
    std::string all;
    for (const std::string path : {"/", "/app.js", "/style.css"}) {
        const auto answer = desk.answer(get(path));
        CHECK(answer.status == 200);
        all += answer.body;
    }
    CHECK(all.find("//cdn") == std::string::npos);
    CHECK(all.find("https://") == std::string::npos);
    CHECK(all.find("innerHTML") == std::string::npos);
}
