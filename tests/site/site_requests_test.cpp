// What plugins ask of the site, through the pool that asks it for them.

#include "service/site_requests.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>

#include "catch.hpp"
#include "fixture.hpp"
#include "service/site_methods.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;
using service::Credentials;
using service::SiteRequestPool;

namespace {

/// Lets nobody through until it is opened.
class Gate {
public:
    void open() {
        std::lock_guard lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        opened_.wait_for(lock, 30s, [&] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

/// Collects answers in the order of their coming.
class Answers {
public:
    std::function<void(host::SiteAnswer)> take(std::string name) {
        return [this, name = std::move(name)](host::SiteAnswer answer) {
            std::lock_guard lock(mutex_);
            order_.push_back(name);
            by_name_.emplace(name, std::move(answer));
        };
    }
    std::vector<std::string> order() const {
        std::lock_guard lock(mutex_);
        return order_;
    }
    std::size_t count() const { return order().size(); }
    host::SiteAnswer of(const std::string& name) const {
        if (!wait_for([&] { return has(name); })) return fail(Cause::internal, "no answer came");
        std::lock_guard lock(mutex_);
        return by_name_.at(name);
    }
    bool has(const std::string& name) const {
        std::lock_guard lock(mutex_);
        return by_name_.contains(name);
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> order_;
    std::map<std::string, host::SiteAnswer> by_name_;
};

Credentials credentials() {
    Credentials all;
    all.named = {{"studio", {"studio script", "studio key"}}, {"own", {"own script", "own key"}}};
    all.plugins = {{"plugin_with_own", "own"}, {"plugin_misconfigured", "gone"}};
    return all;
}

host::SiteRequest request(std::string plugin, std::string method = "find",
                          json arguments = {{"type", "Shot"}}) {
    host::SiteRequest out;
    out.plugin = std::move(plugin);
    out.method = std::move(method);
    out.arguments = arguments.dump();
    out.credential = Credential::named("studio");
    return out;
}

/// A pool over a client over a server.
struct Pool {
    explicit Pool(RawServer::Handler handler, SiteRequestPool::Options options = {},
                  Credentials all = credentials())
        : site(std::move(handler)), pool(*site.client, std::move(all), options, site.log) {}

    host::SiteAnswer ask(host::SiteRequest what) {
        Answers answers;
        pool.start(std::move(what), {}, answers.take("it"));
        return answers.of("it");
    }

    TestSite site;
    SiteRequestPool pool;
};

RawServer::Handler always(std::string answer) {
    return [answer = std::move(answer)](const RawRequest&, RawPeer& peer) { peer.send(answer); };
}

/// Answers by method as a site does.
void like_a_site(const RawRequest& request, RawPeer& peer) {
    if (request.method() == "read") return peer.send(rows(json::parse(R"([{"type": "Shot", "id": 1}])")));
    if (request.method() == "delete") return peer.send(results(true));
    peer.send(results(json::parse(R"({"type": "Shot", "id": 1, "code": "x"})")));
}

/// What `sg::Site` makes of its calls: the arguments exactly as a plugin sends them.
class PluginSite final : public sg::Site {
public:
    explicit PluginSite(Pool& pool) : pool_(pool) {}
    json call(std::string_view method, const json& arguments) override {
        auto answer = pool_.ask(request("p", std::string(method), arguments));
        if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
        return json::parse(*answer);
    }

private:
    Pool& pool_;
};

}  // namespace

TEST_CASE("every call of the SDK's Site reaches the site and comes back") {
    Pool pool(like_a_site);
    PluginSite site(pool);
    FindOptions options;
    options.order = json::parse(R"([{"field_name": "id", "direction": "desc"}])");
    options.limit = 3;
    options.retired_only = true;
    options.include_archived_projects = false;
    const EntityRef shot{"Shot", 1, "x"};
    CHECK(
        site.find("Task", {{"entity", "is", shot}, {"sg_status_list", "is_not", "fin"}}, {"content"}, options)
            .size() == 1);
    CHECK(site.find_one("Shot", {"id", "is", 1})["id"] == 1);
    CHECK(site.create("Shot", {{"code", "x"}}, {"code"})["code"] == "x");
    CHECK(site.update(shot, {{"code", "x"}})["code"] == "x");
    CHECK(site.remove("Shot", 1));
    const auto sent = pool.site.server.requests();
    REQUIRE(sent.size() == 5);
    CHECK(sent[0].parameters() == json::parse(R"({"type": "Task", "return_fields": ["content"],
        "filters": {"logical_operator": "and", "conditions": [
            {"path": "entity", "relation": "is", "values": [{"type": "Shot", "id": 1}]},
            {"path": "sg_status_list", "relation": "is_not", "values": ["fin"]}]},
        "return_only": "retired", "paging": {"entities_per_page": 3, "current_page": 1},
        "include_archived_projects": false, "sorts": [{"field_name": "id", "direction": "desc"}],
        "api_return_image_urls": true, "return_paging_info_without_counts": false})"));
    CHECK(sent[1].parameters()["filters"]["conditions"][0]["path"] == "id");
    CHECK(sent[2].parameters()["return_fields"] == json::array({"code"}));
    CHECK(sent[3].parameters()["id"] == 1);
    CHECK(sent[4].method() == "delete");
}

TEST_CASE("a plugin's call that cannot be understood is refused by name, and nothing is sent") {
    struct Row {
        const char *method, *arguments;
        Cause cause;
        const char* text;
    };
    const auto row = GENERATE(
        Row{"batch", "{}", Cause::not_supported, "'batch'"}, Row{"", "{}", Cause::not_supported, "''"},
        Row{"find\n", "{}", Cause::not_supported, "'find\\n'"},
        Row{"find", "nonsense", Cause::invalid, "find"}, Row{"find", "", Cause::invalid, "find"},
        Row{"find", "[]", Cause::invalid, "no object"},
        Row{"find", "{\"type\": \"caf\xe9\"}", Cause::invalid, "find"},
        Row{"find", "{}", Cause::invalid, "'type' is missing"},
        Row{"find", R"({"type": 7})", Cause::invalid, "'type'"},
        Row{"find", R"({"type": "Shot", "fields": "code"})", Cause::invalid, "'fields'"},
        Row{"find", R"({"type": "Shot", "fields": [7]})", Cause::invalid, "'fields'"},
        Row{"find", R"({"type": "Shot", "limit": 18446744073709551615})", Cause::invalid, "'limit'"},
        Row{"find", R"({"type": "Shot", "limit": 1.5})", Cause::invalid, "'limit'"},
        Row{"find", R"({"type": "Shot", "retired_only": "no"})", Cause::invalid, "'retired_only'"},
        Row{"find", R"({"type": "Shot", "filters": 7})", Cause::invalid, "filters"},
        Row{"find", R"({"type": "Shot", "colour": 7})", Cause::not_supported, "'colour'"},
        Row{"create", R"({"type": "Shot"})", Cause::invalid, "'data' is missing"},
        Row{"create", R"({"type": "Shot", "data": 7})", Cause::invalid, "data"},
        Row{"update", R"({"type": "Shot", "data": {}})", Cause::invalid, "'id' is missing"},
        Row{"delete", R"({"type": "Shot", "id": "7"})", Cause::invalid, "'id'"});
    Pool pool(like_a_site);
    auto asked = request("p", row.method);
    asked.arguments = row.arguments;
    const auto failure = failure_of(pool.ask(asked));
    INFO(row.method << " " << row.arguments << ": " << failure.message);
    CHECK(failure.cause == row.cause);
    CHECK(failure.message.find(row.text) != std::string::npos);
    CHECK(pool.site.server.connections() == 0);
}

TEST_CASE("arguments nested to overflow a stack are refused") {
    Pool pool(like_a_site);
    auto asked = request("p");
    asked.arguments =
        R"({"type": "Shot", "filters": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    CHECK(failure_of(pool.ask(asked)).cause == Cause::invalid);
}

TEST_CASE("the site's refusal crosses with cause, code and text") {
    Pool pool(always(http(R"({"exception": true, "message": "API read() no", "error_code": 103})")));
    const auto failure = failure_of(pool.ask(request("p")));
    CHECK(failure.cause == Cause::bad_request);
    CHECK(failure.site_code == 103);
    CHECK(failure.message.find("API read() no") != std::string::npos);
}

TEST_CASE("a request goes out under the script it brings, names, owns or inherits, in this order") {
    auto all = credentials();
    all.for_plugins = "studio";
    Pool pool(like_a_site, {}, all);
    const auto script_of = [&](Credential credential, const char* plugin) {
        auto asked = request(plugin);
        asked.credential = std::move(credential);
        REQUIRE(pool.ask(asked));
        const auto auth = pool.site.server.requests().back().auth();
        return auth["script_name"].get<std::string>() + "/" + auth["script_key"].get<std::string>();
    };
    CHECK(script_of(Credential::script("brought", "its key"), "plugin_with_own") == "brought/its key");
    CHECK(script_of(Credential::named("studio"), "plugin_with_own") == "studio script/studio key");
    CHECK(script_of({}, "plugin_with_own") == "own script/own key");
    CHECK(script_of({}, "another") == "studio script/studio key");
}

TEST_CASE("a request whose credential is missing or unknown is refused by name") {
    Pool pool(like_a_site);
    const auto text_of = [&](Credential credential, const char* plugin) {
        auto asked = request(plugin);
        asked.credential = std::move(credential);
        const auto failure = failure_of(pool.ask(asked));
        return failure.cause == Cause::authentication ? failure.message : "another cause: " + failure.message;
    };
    CHECK(text_of({}, "orphan") ==
          "plugin 'orphan' has no credential, and the configuration has no default for plugins");
    CHECK(text_of(Credential::named("nobody"), "p") == "the configuration has no credential named 'nobody'");
    CHECK(text_of({}, "plugin_misconfigured") == "the configuration has no credential named 'gone'");
    CHECK(text_of(Credential::script("keyless", ""), "p").find("'keyless' without a key") !=
          std::string::npos);
    CHECK(pool.site.server.connections() == 0);
}

TEST_CASE("the session of the event in hand goes along only if it is configured to") {
    const bool pass = GENERATE(true, false);
    SiteRequestPool::Options options;
    options.pass_session_uuid = pass;
    Pool pool(like_a_site, options);
    auto asked = request("p");
    asked.session_uuid = "5a1d49b0";
    REQUIRE(pool.ask(asked));
    CHECK(pool.site.server.requests().at(0).auth().contains("session_uuid") == pass);
}

TEST_CASE("ten thousand requests of one plugin delay another's by one running call for each thread") {
    SiteRequestPool::Options options;
    options.threads = 2;
    Gate gate;
    Pool pool(
        [&](const RawRequest& request, RawPeer& peer) {
            gate.pass();
            like_a_site(request, peer);
        },
        options);
    Answers answers;
    for (int i = 0; i < 10'000; ++i) pool.pool.start(request("greedy"), {}, answers.take("greedy"));
    REQUIRE(wait_for([&] { return pool.site.server.count() == 2; }));  // both threads are busy
    pool.pool.start(request("modest"), {}, answers.take("modest"));
    gate.open();
    CHECK(answers.of("modest"));
    const auto order = answers.order();
    const auto place = std::find(order.begin(), order.end(), "modest") - order.begin();
    CHECK(place <= 4);  // two ran already, one more may have begun on each thread
    pool.pool.shut_down();
    CHECK(answers.count() == 10'001);
}

TEST_CASE("plugins take turns, whatever each has waiting") {
    SiteRequestPool::Options options;
    options.threads = 1;
    Gate gate;
    Pool pool(
        [&](const RawRequest& request, RawPeer& peer) {
            gate.pass();
            like_a_site(request, peer);
        },
        options);
    Answers answers;
    pool.pool.start(request("first"), {}, answers.take("first"));
    REQUIRE(wait_for([&] { return pool.site.server.count() == 1; }));
    for (const char* plugin : {"a", "b", "c"})
        for (int i = 0; i < 3; ++i) pool.pool.start(request(plugin), {}, answers.take(plugin));
    gate.open();
    REQUIRE(wait_for([&] { return answers.count() == 10; }));
    CHECK(answers.order() == std::vector<std::string>{"first", "a", "b", "c", "a", "b", "c", "a", "b", "c"});
}

TEST_CASE("past what may wait a plugin is told that it is too busy, and others are not") {
    SiteRequestPool::Options options;
    options.threads = 1;
    const bool by_bytes = GENERATE(false, true);
    if (by_bytes)
        options.bytes_per_plugin = 2 * request("p").arguments.size();
    else
        options.waiting_per_plugin = 2;
    Pool pool([](const RawRequest&, RawPeer& peer) { peer.hang(); }, options);
    Answers answers;
    pool.pool.start(request("p"), {}, answers.take("running"));
    REQUIRE(wait_for([&] { return pool.site.server.count() == 1; }));
    for (const char* name : {"one", "two", "three"}) pool.pool.start(request("p"), {}, answers.take(name));
    CHECK(failure_of(answers.of("three")).cause == Cause::busy);
    CHECK(answers.count() == 1);
    pool.pool.start(request("q"), {}, answers.take("another's"));
    CHECK(answers.count() == 1);
    pool.pool.shut_down();
    CHECK(answers.count() == 5);
}

TEST_CASE("a stop answers a request at once, whether it runs, waits, or has not begun") {
    SiteRequestPool::Options options;
    options.threads = 1;
    Pool pool([](const RawRequest&, RawPeer& peer) { peer.hang(); }, options);
    Answers answers;
    std::stop_source running, waiting, over;
    over.request_stop();
    pool.pool.start(request("p"), running.get_token(), answers.take("running"));
    REQUIRE(wait_for([&] { return pool.site.server.count() == 1; }));
    pool.pool.start(request("p"), waiting.get_token(), answers.take("waiting"));
    pool.pool.start(request("p"), over.get_token(), answers.take("over"));
    CHECK(answers.order() == std::vector<std::string>{"over"});
    waiting.request_stop();
    CHECK(answers.order() == std::vector<std::string>{"over", "waiting"});
    CHECK_FALSE(answers.has("running"));
    const auto asked = std::chrono::steady_clock::now();
    running.request_stop();
    for (const char* name : {"running", "waiting", "over"})
        CHECK(failure_of(answers.of(name)).cause == Cause::stopped);
    CHECK(std::chrono::steady_clock::now() - asked < 5s);
    CHECK(pool.site.server.count() == 1);
}

TEST_CASE("a pool that ends answers everything outstanding and everything later with stopped") {
    Answers answers;
    {
        SiteRequestPool::Options options;
        options.threads = 2;
        Pool pool([](const RawRequest&, RawPeer& peer) { peer.hang(); }, options);
        for (int i = 0; i < 50; ++i) pool.pool.start(request("p"), {}, answers.take(std::to_string(i)));
        REQUIRE(wait_for([&] { return pool.site.server.count() == 2; }));
        pool.pool.shut_down();
        CHECK(answers.count() == 50);
        pool.pool.start(request("p"), {}, answers.take("late"));
        CHECK(failure_of(answers.of("late")).cause == Cause::stopped);
    }
    for (int i = 0; i < 50; ++i) CHECK(failure_of(answers.of(std::to_string(i))).cause == Cause::stopped);
}

TEST_CASE("requests, stops and the end from many threads at once leave each request with one answer") {
    SiteRequestPool::Options options;
    options.threads = 4;
    options.waiting_per_plugin = 20;
    auto pool = std::make_unique<Pool>(like_a_site, options);
    std::atomic<int> asked{0}, answered{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 60; ++i) {
                    std::stop_source stop;
                    ++asked;
                    pool->pool.start(request("p" + std::to_string(t % 3)), stop.get_token(),
                                     [&](host::SiteAnswer) { ++answered; });
                    if (i % 3 == 0) stop.request_stop();
                }
            });
    }
    pool.reset();
    CHECK(asked == 480);
    CHECK(answered == 480);
}
