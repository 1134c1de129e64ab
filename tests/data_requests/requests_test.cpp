// What a plugin in a host asks of its data retriever, and what comes of it.

#include "data_requests/live.hpp"

using namespace sg;
using namespace sg::test;

namespace {

std::vector<std::string> keys_of(const json& object) {
    std::vector<std::string> out;
    for (const auto& [key, value] : object.items()) out.push_back(key);
    return out;
}
using Texts = std::vector<std::string>;

json request(const char* name, const char* what, json args = json::array()) {
    return {{"name", name}, {"what", what}, {"args", std::move(args)}};
}

}  // namespace

TEST_CASE("T101: in a host and in a thread one request of each kind ends") {
    const auto isolation = GENERATE(plugins::Isolation::process, plugins::Isolation::thread);
    Live live({.isolation = isolation});
    const auto project = live.studio.project, shot = live.studio.shot;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto file = live.studio.upload("Version", version, "sg_uploaded_movie", "take.mov", "movie");
    const json all{
        request("schema", "schema"),
        Live::find("find"),
        request("find_one", "find_one", {"Shot", json::array(), {"code"}}),
        request("create", "create", {"Shot", {{"code", "sh020"}, {"project", link("Project", project)}}}),
        request("update", "update", {"Shot", shot, {{"description", "d"}}}),
        request("text_search", "text_search", {"sh010", {{"Shot", json::array()}}}),
        request("nav_expand", "nav_expand", {"/"}),
        request("nav_search_string", "nav_search_string", {"/", "sh"}),
        request("nav_search_entity", "nav_search_entity", {"/", link("Project", project)}),
        {{"name", "method"}, {"what", "method"}},
        {{"name", "attachment"},
         {"what", "attachment"},
         {"attachment", {{"type", "Attachment"}, {"id", file}, {"this_file", {{"name", "take.mov"}}}}}},
        live.thumbnail("thumbnail", url),
        {{"name", "thumbnail_source"}, {"what", "thumbnail_source"}, {"id", version}},
        request("delete", "delete", {"Shot", 99999})};
    live.start(all);
    const auto signals = live.wait(all.size());
    for (const auto& one : all) {
        const auto name = one.at("name").get<std::string>();
        INFO(Live::last(signals, name).dump());
        CHECK(Live::of(signals, name) == (name == "delete" ? "f" : "c"));
    }
    CHECK(live.rig.owner.ends.empty());
}

TEST_CASE("T102: in a host each site call answers with its type, its keys and the uid that was returned") {
    Live live;
    const auto shot = live.studio.shot, project = live.studio.project;
    const std::vector<std::pair<json, Texts>> cases{
        {request("schema", "schema"), {"fields", "types"}},
        {Live::find("find"), {"sg"}},
        {request("find_one", "find_one", {"Shot", json::array(), {"code"}}), {"sg"}},
        {request("create", "create", {"Shot", {{"code", "sh020"}, {"project", link("Project", project)}}}),
         {"sg"}},
        {request("update", "update", {"Shot", shot, {{"description", "d"}}}), {"sg"}},
        {request("text_search", "text_search", {"sh010", {{"Shot", json::array()}}}), {"sg"}},
        {request("nav_expand", "nav_expand", {"/"}), {"sg"}},
        {request("nav_search_string", "nav_search_string", {"/", "sh"}), {"sg"}},
        {request("nav_search_entity", "nav_search_entity", {"/", link("Shot", shot)}), {"sg"}},
        {request("delete", "delete", {"Shot", shot}), {"sg"}},
        {{{"name", "method"}, {"what", "method"}}, {"return_value"}}};
    json all = json::array();
    for (const auto& one : cases) all.push_back(one.first);
    const auto uids = live.start(all);
    const auto signals = live.wait(cases.size());
    for (const auto& [one, keys] : cases) {
        const auto name = one.at("name").get<std::string>();
        const auto signal = Live::last(signals, name);
        INFO(signal.dump());
        REQUIRE(Live::of(signals, name) == "c");
        CHECK(signal.at("uid") == uids.at(name));
        CHECK(signal.at("type") == name);
        CHECK(keys_of(signal.at("data")) == keys);
        CHECK(live.run({{"do", "get"}, {"name", name}}) == json{{"type", name}, {"data", signal.at("data")}});
    }
    CHECK(Live::last(signals, "find").at("data").at("sg")[0].at("code") == "sh010");
    CHECK(Live::last(signals, "delete").at("data").at("sg") == true);
}

TEST_CASE("T103: from a host arguments by place and by name reach the site unchanged") {
    Live live;
    live.studio.site.add("Shot", {{"code", "sh020"}, {"project", link("Project", live.studio.project)}});
    live.start({{{"name", "a"},
                 {"what", "find"},
                 {"args", {"Shot", json::array({json::array({"code", "starts_with", "sh"})})}},
                 {"kwargs",
                  {{"fields", {"code"}},
                   {"limit", 1},
                   {"order", json::array({{{"field_name", "code"}, {"direction", "desc"}}})}}}}});
    const auto reply = live.run({{"do", "await"}, {"name", "a"}});
    REQUIRE(reply.at("data").at("sg").size() == 1);
    CHECK(reply.at("data").at("sg")[0].at("code") == "sh020");
}

TEST_CASE("T104: from a host a schema is that of the site or of a project, fields first") {
    Live live;
    live.studio.site.forget_requests();
    live.start({request("site", "schema")});
    live.run({{"do", "wait"}, {"count", 1}, {"brief", true}});
    live.start({{{"name", "project"}, {"what", "schema"}, {"project", live.studio.project}}});
    CHECK(live.run({{"do", "wait"}, {"count", 2}, {"brief", true}}).at("c") == 2);
    Texts asked;
    json projects = json::array();
    for (const auto& one : live.studio.site.requests()) {
        if (!one.method.starts_with("schema")) continue;
        asked.push_back(one.method);
        projects.push_back(one.params.is_object() && one.params.contains("project")
                               ? one.params.at("project").value("id", json())
                               : json());
    }
    CHECK(asked == Texts{"schema_read", "schema_entity_read", "schema_read", "schema_entity_read"});
    CHECK(projects == json{nullptr, nullptr, live.studio.project, live.studio.project});
}

TEST_CASE("T105: a method runs in the host with its arguments and a site") {
    Live live;
    live.start({{{"name", "a"}, {"what", "method"}, {"args", {1, "two"}}, {"kwargs", {{"three", 3}}}}});
    const auto reply = live.run({{"do", "get"}, {"name", "a"}});
    CHECK(reply.at("data").at("return_value").at("args") == json{1, "two"});
    CHECK(reply.at("data").at("return_value").at("kwargs") == json{{"three", 3}});
    CHECK(live.rig.site.asked.empty());
    live.rig.site.answer = [](const host::SiteRequest& asked) -> host::SiteAnswer {
        return json::array({{{"method", asked.method}}}).dump();
    };
    live.start({{{"name", "b"}, {"what", "method"}, {"mode", "find"}}});
    CHECK(live.run({{"do", "await"}, {"name", "b"}}).at("data").at("return_value").at("found") ==
          json::array({{{"method", "find"}}}));
}

TEST_CASE("T106: in a host a search for a project is answered from its row, or fails") {
    Live live;
    const auto project = live.studio.project;
    live.start({request("known", "nav_search_entity", {"/", link("Project", project)}),
                request("unknown", "nav_search_entity", {"/", link("Project", 9999)})});
    const auto signals = live.wait(2);
    const auto answer = Live::last(signals, "known").at("data").at("sg");
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].at("label") == "Demo");
    CHECK(answer[0].at("project_id") == project);
    CHECK(Live::of(signals, "unknown") == "f");
}

TEST_CASE(
    "T107: from a host what is on the disk comes first, then schemas, calls, attachments and thumbnails") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("new picture");
    const auto [other, cached_url] = live.studio.thumbnail("old picture");
    const auto attached = [&, of = version](const char* name) -> json {
        const auto id = live.studio.upload("Version", of, "", name, name);
        return {{"type", "Attachment"}, {"id", id}, {"this_file", {{"name", name}}}};
    };
    const auto file = attached("new.txt"), cached_file = attached("old.txt");
    live.start({live.thumbnail("t", cached_url),
                {{"name", "f"}, {"what", "attachment"}, {"attachment", cached_file}}});
    live.wait(2);
    const auto gate = live.hold("read");
    live.start({Live::find("held")});
    REQUIRE(live.wait_held(gate));
    live.start({live.thumbnail("thumbnail", url),
                {{"name", "file"}, {"what", "attachment"}, {"attachment", file}},
                Live::find("find 1"),
                Live::find("find 2"),
                {{"name", "schema"}, {"what", "find"}, {"args", {"Project", json::array()}}},
                live.thumbnail("cached thumbnail", cached_url),
                {{"name", "cached file"}, {"what", "attachment"}, {"attachment", cached_file}}});
    live.run({{"do", "signals"}});
    gate->open();
    const auto signals = live.wait(10);
    Texts names;
    for (std::size_t i = 3; i < signals.size(); ++i)
        names.push_back(signals[i].at("name").get<std::string>());
    CHECK(names ==
          Texts{"cached file", "cached thumbnail", "find 1", "find 2", "schema", "file", "thumbnail"});
}

TEST_CASE("T108 T109: a thumbnail is fetched for a host once, and then found without the site") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto uids = live.start({live.thumbnail("a", url)});
    auto signals = live.wait(1);
    auto signal = Live::last(signals, "a");
    CHECK(signal.at("type") == "download_thumbnail");
    CHECK(signal.at("uid") == uids.at("a"));
    const auto path = signal.at("data").at("thumb_path").get<std::string>();
    CHECK(path.starts_with(live.cache().string()));
    CHECK(bytes_of(path) == "picture");
    CHECK(signal.at("data").at("image").is_null());
    const auto before = live.studio.site.request_count();
    live.start({live.thumbnail("b", url)});
    signals = live.wait(2);
    signal = Live::last(signals, "b");
    CHECK(Live::of(signals, "b") == "c");
    CHECK(signal.at("type") == "check_thumbnail");
    CHECK(signal.at("data").at("thumb_path") == path);
    CHECK(live.studio.site.request_count() == before);
    (void)version;
}

TEST_CASE("T110 T111: in a host a url without a file gives nulls, and the bytes come where asked for") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("PNG bytes");
    live.start({{{"name", "null"}, {"what", "thumbnail"}, {"url", nullptr}},
                live.thumbnail("empty", ""),
                live.thumbnail("no path", "https://studio.example")});
    auto signals = live.wait(3);
    for (const auto* name : {"null", "empty", "no path"}) {
        CHECK(Live::of(signals, name) == "c");
        CHECK(Live::last(signals, name).at("type") == "check_thumbnail");
        CHECK(Live::last(signals, name).at("data") == json{{"thumb_path", nullptr}, {"image", nullptr}});
    }
    auto loaded = live.thumbnail("miss", url);
    loaded["load"] = true;
    live.start({loaded});
    live.wait(4);
    loaded["name"] = "hit";
    live.start({loaded});
    signals = live.wait(5);
    CHECK(Live::last(signals, "miss").at("data").at("image") == "PNG bytes");
    CHECK(Live::last(signals, "hit").at("data").at("image") == "PNG bytes");
    (void)version;
}

TEST_CASE("T113 T114 T115 T118: what cannot be kept, read or fetched fails a host's request once") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    fs::create_directories(live.cache());
    std::ofstream(live.cache() / "thumbs") << "a file";
    live.start({live.thumbnail("blocked", url)});
    live.wait(1);
    fs::remove(live.cache() / "thumbs");
    std::ofstream(live.cache() / "tmp") << "a file";
    live.start({live.thumbnail("no place", url)});
    live.wait(2);
    fs::remove(live.cache() / "tmp");
    const auto attachment = [](const char* name, json record) -> json {
        return {{"name", name}, {"what", "attachment"}, {"attachment", std::move(record)}};
    };
    live.start({attachment("empty", json::object()), attachment("nothing", {{"this_file", {{"name", "a"}}}}),
                attachment("number", {{"id", 1}, {"this_file", 7}})});
    live.wait(5);
    live.start({live.thumbnail("signed", live.studio.site.url() + "/files/a.png?Signature=abc")});
    const auto signals = live.wait(6);
    for (const auto* name : {"blocked", "no place", "empty", "nothing", "number", "signed"}) {
        INFO(name);
        CHECK(Live::of(signals, name) == "f");
    }
    const auto message = Live::last(signals, "signed").at("message").get<std::string>();
    CHECK(message.find("/files/a.png") != std::string::npos);
    CHECK(message.find("Signature") == std::string::npos);
    CHECK(live.rig.everything_logged().find("Signature=") == std::string::npos);
    (void)version;
}

TEST_CASE("T116 T137: what a host's retriever refuses at the call, and that it is not a plugin's to stop") {
    Live live;
    const auto said = live.run({{"do", "refusals"}});
    CHECK(said.at("args").contains("invalid_argument"));
    CHECK(said.at("kwargs").contains("invalid_argument"));
    CHECK(said.at("method").contains("invalid_argument"));
    CHECK(said.at("stop").at("cause") == "not supported");
    CHECK(live.run({{"do", "clear"}}) == 0);
    live.start({Live::find("after")});
    CHECK(Live::of(live.wait(1), "after") == "c");
}

TEST_CASE("T117: a request of a host that fails says why, and by which class of cause") {
    Live live;
    live.start({{{"name", "silent"}, {"what", "method"}, {"mode", "throw"}},
                request("unknown", "find", {"Nonsense", json::array()}),
                request("many", "find", {"Shot", json::array(), nullptr, 1, 2, 3, 4, 5, 6, 7, 8})});
    const auto signals = live.wait(3);
    for (const auto* name : {"silent", "unknown", "many"}) {
        CHECK(Live::of(signals, name) == "f");
        CHECK_FALSE(Live::last(signals, name).at("message").get<std::string>().empty());
    }
    const auto unknown = live.run({{"do", "await"}, {"name", "unknown"}});
    CHECK(unknown.at("cause") == "bad request");
    CHECK(unknown.at("message").get<std::string>().find("Nonsense") != std::string::npos);
    CHECK(live.run({{"do", "get"}, {"name", "many"}}).at("cause") == "invalid");
    live.studio.site.inject(Fault::close().until_cleared());
    live.start({Live::find("cut")});
    CHECK(live.run({{"do", "get"}, {"name", "cut"}}).at("cause") == "network");
}

TEST_CASE("T120 T121: slots of a host run on one thread, and hear of its own requests only, each once") {
    Live live({.workers = 4, .plugins = {"a", "b"}});
    const json all = json::array({Live::find("f")});
    live.tell({{"do", "start"}, {"all", all}, {"times", 500}}, "a");
    live.tell({{"do", "start"}, {"all", all}, {"times", 500}}, "b");
    for (const auto* plugin : {"a", "b"}) {
        live.tell({{"do", "wait"}, {"count", 500}, {"brief", true}}, plugin);
        REQUIRE(live.rig.wait([&] { return live.results(plugin).size() == 2; }));
        CHECK(live.results(plugin)[1] == json{{"c", 500}, {"f", 0}, {"x", 0}, {"own", 500}, {"threads", 1}});
    }
}

TEST_CASE("T140 T141 T142: connections are made when they are needed and kept while they are good") {
    Live live({.workers = 2});
    live.studio.site.forget_requests();
    const auto used = [&] {
        std::set<std::uint64_t> all;
        for (const auto& one : live.studio.site.requests())
            if (one.method == "read") all.insert(one.connection);
        return all.size();
    };
    for (int i = 0; i < 5; ++i) {
        live.start({Live::find("one")});
        live.run({{"do", "get"}, {"name", "one"}});
    }
    CHECK(used() == 1);
    live.run({{"do", "start"}, {"all", json::array({Live::find("many")})}, {"times", 100}});
    live.run({{"do", "wait"}, {"count", 105}, {"brief", true}});
    CHECK(used() <= 2);
    CHECK_FALSE(live.studio.site.saw_interleaving());
}

TEST_CASE("T184 T185: the helpers answer a host's callback with a path") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto path = live.run({{"do", "helper"}, {"url", url}});
    REQUIRE(path.is_string());
    CHECK(bytes_of(path.get<std::string>()) == "picture");
    auto before = live.studio.site.request_count();
    CHECK(live.run({{"do", "helper"}, {"url", url}}) == path);
    CHECK(live.studio.site.request_count() == before);
    CHECK(live.run({{"do", "helper"}, {"url", ""}}).contains("invalid_argument"));
    CHECK(live.run({{"do", "helper"}, {"url", "https://studio.example"}}).contains("invalid_argument"));
    const auto source = live.run({{"do", "helper"}, {"type", "Version"}, {"id", version}});
    REQUIRE(source.is_string());
    before = live.studio.site.request_count();
    CHECK(live.run({{"do", "helper"}, {"type", "Version"}, {"id", version}}) == source);
    CHECK(live.studio.site.request_count() == before);
    live.studio.site.inject(Fault::status(500).until_cleared());
    CHECK(
        live.run({{"do", "helper"}, {"url", live.studio.site.url() + "/files/none.png"}}).contains("cause"));
}
