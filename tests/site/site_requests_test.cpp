// What plugins ask of the site, through the pool that asks it for them.

#include "service/site_requests.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>

#include "catch.hpp"
#include "file_studio.hpp"
#include "fixture.hpp"
#include "site/named_calls.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace site_requests_test {

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
    all.named = {{"studio", {site::Script{"studio script", "studio key"}}},
                 {"own", {site::Script{"own script", "own key"}}}};
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
    if (request.method() == "info") return peer.send(http(R"({"version": [8, 62, 0]})"));
    if (request.method() == "read") return peer.send(rows(json::parse(R"([{"type": "Shot", "id": 1}])")));
    if (request.method() == "delete") return peer.send(results(true));
    peer.send(results(json::parse(R"({"type": "Shot", "id": 1, "code": "x"})")));
}

}  // namespace

TEST_CASE("a plugin's call that cannot be understood is refused by name, and nothing is sent") {
    struct Row {
        const char *method, *arguments;
        Cause cause;
        const char* text;
    };
    const auto row = GENERATE(
        Row{"nonsense", "{}", Cause::not_supported, "'nonsense'"}, Row{"", "{}", Cause::not_supported, "''"},
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
        Row{"delete", R"({"type": "Shot", "id": "7"})", Cause::invalid, "'id'"},
        Row{"batch", "{}", Cause::invalid, "'requests' is missing"},
        Row{"batch", R"({"requests": [{"request_type": "revive", "entity_type": "Shot", "entity_id": 1}]})",
            Cause::invalid, "request 0 of the batch"},
        Row{"batch", R"({"requests": [{"request_type": "delete", "entity_type": "Shot"}]})", Cause::invalid,
            "entity_id"},
        Row{"batch", R"({"requests": [{"request_type": "create", "entity_type": "Shot", "data": 7}]})",
            Cause::invalid, "data"},
        Row{"batch",
            R"({"requests": [{"request_type": "delete", "entity_type": "Shot", "entity_id": 1, "x": 1}]})",
            Cause::not_supported, "'x'"},
        Row{"summarize", R"({"type": "Shot", "summaries": []})", Cause::invalid, "nothing to sum up"},
        Row{"summarize", R"({"type": "Shot", "summaries": [{"field": "id"}]})", Cause::invalid, "a type"},
        Row{"summarize",
            R"({"type": "Shot", "summaries": [{"field": "id", "type": "count"}, {"field": "id", "type": "sum"}]})",
            Cause::invalid, "one field"},
        Row{"text_search", R"({"text": "x", "entity_types": []})", Cause::invalid, "entity_types"},
        Row{"follow", R"({"user": 7, "entity": {"type": "Shot", "id": 1}})", Cause::invalid, "'user'"},
        Row{"following", R"({"user": {"type": "HumanUser"}})", Cause::invalid, "'user'"},
        Row{"work_schedule_read", R"({"start_date": "24.12.2026", "end_date": "2026-12-25"})", Cause::invalid,
            "'start_date'"},
        Row{"work_schedule_read", R"({"start_date": "2026-12-24", "end_date": "2026-02-30"})", Cause::invalid,
            "'end_date'"},
        Row{"work_schedule_update", R"({"date": "2026-12-24", "working": true,
            "project": {"type": "Project", "id": 1}, "user": {"type": "HumanUser", "id": 1}})",
            Cause::invalid, "not both"},
        Row{"work_schedule_update",
            R"({"date": "2026-12-24", "working": true, "recalculate_field": "start_date"})", Cause::invalid,
            "'recalculate_field'"},
        Row{"schema_field_update",
            R"({"type": "Shot", "field_name": "code", "properties": {"visible": false}})", Cause::invalid,
            "name one"},
        Row{"authenticate_human_user", R"({"login": "rhea", "password": ""})", Cause::invalid, "password"},
        Row{"user_subscriptions_create", R"({"users": [{"humanUserId": "42"}]})", Cause::invalid, "'users'"},
        Row{"note_thread_read", R"({"note_id": 1, "entity_fields": []})", Cause::invalid, "entity_fields"},
        Row{"upload", R"({"type": "Version", "id": 1, "file": "take.mov"})", Cause::invalid, "absolute path"},
        Row{"upload", R"({"type": "Version", "id": 1})", Cause::invalid, "'file' is missing"},
        Row{"upload", R"({"type": "Version", "id": 1, "file": "/dev/null"})", Cause::invalid, "/dev/null"},
        Row{"share_thumbnail", R"({"entities": 7, "source": {"type": "Shot", "id": 1}})", Cause::invalid,
            "has to be a list"},
        Row{"share_thumbnail", R"({"entities": [7], "source": {"type": "Shot", "id": 1}})", Cause::invalid,
            "by type and id"},
        Row{"share_thumbnail", R"({"entities": [], "source": null})", Cause::invalid, "'source'"},
        Row{"download_attachment", R"({"attachment": 1, "to": "../take.mov"})", Cause::invalid,
            "absolute path"},
        Row{"download_attachment", R"({"to": "/tmp/take.mov"})", Cause::invalid, "'attachment' is missing"},
        Row{"find", R"({"type": "Shot", "sudo_as_login": 7})", Cause::invalid, "'sudo_as_login'"});
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

TEST_CASE("a request goes out as the person or session that the configuration names, and in whose name") {
    auto all = credentials();
    all.named["rhea"] = {site::User{"rhea", "s3cret", ""}};
    all.named["browser"] = {site::Session{"dd63550a"}};
    all.named["in her name"] = {site::Script{"studio script", "studio key"}, "rhea"};
    Pool pool(like_a_site, {}, all);
    const auto auth_of = [&](const char* name) {
        auto asked = request("p");
        asked.credential = Credential::named(name);
        REQUIRE(pool.ask(asked));
        return pool.site.server.requests().back().auth();
    };
    CHECK(auth_of("rhea") == json{{"user_login", "rhea"}, {"user_password", "s3cret"}});
    CHECK(auth_of("browser") == json{{"session_token", "dd63550a"}, {"reject_if_expired", true}});
    CHECK(auth_of("in her name")["sudo_as_login"] == "rhea");
}

TEST_CASE("a person with a code is logged in once for all requests, and again only if that failed") {
    auto all = credentials();
    all.named["rhea"] = {site::User{"rhea", "s3cret", "492817"}};
    SiteRequestPool::Options options;
    options.threads = 4;
    std::atomic<int> logins{0};
    Pool pool(
        [&](const RawRequest& request, RawPeer& peer) {
            if (request.method() != "get_session_token") return like_a_site(request, peer);
            if (++logins == 1)
                return peer.send(http(R"({"exception": true, "message": "wait", "error_code": 106})"));
            peer.send(http(R"({"session_id": "dd63550a"})"));
        },
        options, all);
    auto asked = request("p");
    asked.credential = Credential::named("rhea");
    const auto refused = failure_of(pool.ask(asked));
    CHECK(refused.site_code == 106);
    CHECK(refused.message.find("492817") == std::string::npos);
    Answers answers;
    for (int i = 0; i < 20; ++i) pool.pool.start(asked, {}, answers.take(std::to_string(i)));
    for (int i = 0; i < 20; ++i) CHECK(answers.of(std::to_string(i)));
    CHECK(logins == 2);
    for (const auto& request : pool.site.server.requests())
        if (request.method() == "read") CHECK(request.auth()["session_token"] == "dd63550a");
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
    Gate first, rest;
    std::atomic<int> came = 0;
    std::atomic<bool> is_modest_there = false;
    Pool pool(
        [&](const RawRequest& request, RawPeer& peer) {
            if (request.body.find("Version") != std::string::npos) is_modest_there = true;
            (++came <= 2 ? first : rest).pass();
            like_a_site(request, peer);
        },
        options);
    Answers answers;
    for (int i = 0; i < 10'000; ++i) pool.pool.start(request("greedy"), {}, answers.take("greedy"));
    REQUIRE(wait_for([&] { return came == 2; }));  // both threads are busy
    pool.pool.start(request("modest", "find", {{"type", "Version"}}), {}, answers.take("modest"));
    first.open();
    REQUIRE(wait_for([&] { return came == 4; }));  // each has taken the next one
    CHECK(is_modest_there);
    rest.open();
    CHECK(answers.of("modest"));
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

TEST_CASE("files of one plugin, however long they take, delay no call of another") {
    SiteRequestPool::Options options;
    options.threads = options.file_threads = 1;
    // Only the session that a download begins with is held up.
    Pool pool(
        [](const RawRequest& request, RawPeer& peer) {
            if (request.method() == "get_session_token") return peer.hang();
            like_a_site(request, peer);
        },
        options);
    Answers answers;
    TempDir dir;
    const json wish{{"attachment", 7}, {"to", (dir / "take.mov").string()}};
    for (const char* name : {"first", "second"})
        pool.pool.start(request("greedy", "download_attachment", wish), {}, answers.take(name));
    REQUIRE(wait_for([&] { return pool.site.server.count() > 0; }));
    pool.pool.start(request("modest"), {}, answers.take("modest"));
    CHECK(answers.of("modest"));
    CHECK(answers.count() == 1);
    pool.pool.shut_down();
    CHECK(answers.count() == 3);
}

TEST_CASE("whoever asks for a transfer hears of its end, and not of every piece") {
    FileStudio studio;
    write_file(studio.dir / "take.mov", noise(3'000'000));
    Credentials credentials;
    credentials.named["relay"] = {studio.script().credential, {}};
    credentials.for_plugins = "relay";
    SiteRequestPool pool(*studio.client, credentials, {}, studio.log);
    std::mutex mutex;
    std::vector<std::uint64_t> news;
    host::SiteRequest request;
    request.plugin = "a";
    request.method = "upload";
    request.arguments = json{{"type", "Version"},
                             {"id", studio.version},
                             {"file", (studio.dir / "take.mov").string()},
                             {"field", "sg_uploaded_movie"}}
                            .dump();
    request.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) {
        std::lock_guard lock(mutex);
        news.push_back(done);
    };
    Answers answers;
    const auto begun = std::chrono::steady_clock::now();
    pool.start(std::move(request), {}, answers.take("a"));
    REQUIRE(wait_for([&] { return answers.count() == 1; }));
    const auto most = 2 + (std::chrono::steady_clock::now() - begun) / 200ms;
    pool.shut_down();
    CHECK(answers.of("a"));
    REQUIRE_FALSE(news.empty());
    CHECK(news.back() == 3'000'000);
    CHECK(static_cast<long>(news.size()) <= most);
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

}  // namespace site_requests_test
