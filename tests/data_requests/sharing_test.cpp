// What plugins have in common, and what they do not.

#include "data_requests/live.hpp"
#include "service/write_intercept.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("R12: another plugin's query waits for one running item of a plugin with 10 000 queued downloads") {
    Live live({.plugins = {"a", "b"}});
    live.start(Live::find("before"), "a");
    live.wait(1, "a");
    REQUIRE(live.wait_idle());
    const auto first = live.hold("file_serve"), others = live.hold("file_serve", 0);
    const auto url = live.studio.site.url() + "/file_serve/thumbnail/{}";
    live.run({{"do", "start"}, {"all", json::array({live.thumbnail("t", url)})}, {"times", 10'000}}, "a");
    REQUIRE(live.wait_held(first));
    REQUIRE(live.wait_queued(host::most_data_requests - 1));
    const auto query = live.hold("read");
    live.start(Live::find("query"), "b");
    REQUIRE(live.wait_queued(host::most_data_requests));
    first->open();
    REQUIRE(live.wait_held(query));
    CHECK(others->held() == 0);
    query->open();
    CHECK(Live::of(live.wait(1, "b"), "query") == "c");
    others->open();
}

TEST_CASE(
    "R12: a plugin's queries do not delay another one's download, whatever comes first for one of them") {
    Live live({.plugins = {"a", "b"}});
    const auto url = live.studio.thumbnail("picture").second;
    live.start(Live::find("before"), "a");
    live.wait(1, "a");
    REQUIRE(live.wait_idle());
    const auto first = live.hold("read"), others = live.hold("read", 0);
    live.run({{"do", "start"}, {"all", json::array({Live::find("f")})}, {"times", 1000}}, "a");
    REQUIRE(live.wait_held(first));
    REQUIRE(live.wait_queued(host::most_data_requests - 1));
    live.start(live.thumbnail("t", url), "b");
    REQUIRE(live.wait_queued(host::most_data_requests));
    first->open();
    // It is looked for, then one query of the other plugin has its turn, and then it is fetched.
    REQUIRE(live.wait_held(others));
    const auto fetched = live.hold("file_serve");
    others->open();
    REQUIRE(live.wait_held(fetched));
    CHECK(others->held() == 1);
    fetched->open();
    CHECK(Live::of(live.wait(1, "b"), "t") == "c");
}

TEST_CASE("plugins that want the same file share one download and one place in the cache") {
    Live live({.workers = 2, .plugins = {"a", "b"}});
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto gate = live.hold("file_serve");
    live.start({live.thumbnail("t", url)}, "a");
    REQUIRE(live.wait_held(gate));
    live.start({live.thumbnail("t", url)}, "b");
    gate->open();
    const auto one = live.wait(1, "a"), two = live.wait(1, "b");
    CHECK(Live::last(one, "t").at("data") == Live::last(two, "t").at("data"));
    CHECK(live.studio.site.request_count("file_serve") == 1);
}

TEST_CASE("a plugin may ask for more than the daemon takes at once: the rest is held back in its host") {
    Live live({.workers = 2});
    const auto gate = live.hold("read", 2);
    live.run({{"do", "start"}, {"all", json::array({Live::find("f")})}, {"times", 3000}});
    REQUIRE(live.wait_held(gate, 2));
    gate->open();
    const auto ended = live.run({{"do", "wait"}, {"count", 3000}, {"brief", true}});
    CHECK(ended.at("c") == 3000);
    CHECK(live.rig.owner.ends.empty());
}

TEST_CASE("a dry run shows what a plugin's requests would write, and reads the site") {
    struct Told {
        std::mutex mutex;
        std::vector<service::IntendedWrite> list;
    } told;
    class NoSite final : public host::SiteRequests {
        void start(host::SiteRequest, std::stop_token, std::function<void(host::SiteAnswer)> done) override {
            done(json::array({{{"type", "Shot"}, {"id", 1}, {"code", "before"}}}).dump());
        }
    } beyond;
    service::WriteIntercept intercept(beyond, [&](const service::IntendedWrite& write) {
        std::lock_guard lock(told.mutex);
        told.list.push_back(write);
    });
    Live live({.writes = &intercept});
    const auto shot = live.studio.shot;
    live.start({{{"name", "update"}, {"what", "update"}, {"args", {"Shot", shot, {{"code", "after"}}}}},
                {{"name", "create"}, {"what", "create"}, {"args", {"Shot", {{"code", "sh020"}}}}},
                {{"name", "delete"}, {"what", "delete"}, {"args", {"Shot", shot}}},
                {{"name", "find_one"}, {"what", "find_one"}, {"args", {"Shot", json::array(), {"code"}}}}});
    const auto signals = live.wait(4);
    CHECK(Live::last(signals, "update").at("data").at("sg").at("code") == "after");
    CHECK(Live::last(signals, "create").at("data").at("sg").at("id") == 0);
    CHECK(Live::last(signals, "delete").at("data").at("sg") == true);
    CHECK(Live::last(signals, "find_one").at("data").at("sg").at("code") == "sh010");
    CHECK(live.studio.site.value("Shot", shot, "code") == "sh010");
    CHECK(live.studio.site.ids("Shot").size() == 1);
    std::lock_guard lock(told.mutex);
    REQUIRE(told.list.size() == 3);
    CHECK(told.list[0].plugin == "a");
    CHECK(told.list[0].event == 1);
    CHECK(told.list[0].before.at("code") == "before");
}
