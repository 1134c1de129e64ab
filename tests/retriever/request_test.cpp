// What requests ask of the site, in what order, and how they end.

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

std::vector<std::string> keys_of(const json& object) {
    std::vector<std::string> out;
    for (const auto& [key, value] : object.items()) out.push_back(key);
    return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("T101: nothing reaches the site before start, and then every request ends") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto file = rig.studio.upload("Version", version, "sg_uploaded_movie", "take.mov", "movie");
    const auto data = rig.make();
    const Heard heard(*data);
    rig.studio.site.forget_requests();
    const auto before = rig.studio.site.request_count();
    const std::vector<Request> all{
        data->get_schema(),
        data->execute_find(rig.args_of_find()),
        data->execute_find_one(rig.args_of_find()),
        data->execute_create(
            json::array({"Shot", {{"code", "sh020"}, {"project", link("Project", rig.studio.project)}}})),
        data->execute_update(json::array({"Shot", rig.studio.shot, {{"description", "d"}}})),
        data->execute_delete(json::array({"Shot", rig.studio.shot})),
        data->execute_text_search(json::array({"sh010", {{"Shot", json::array()}}})),
        data->execute_nav_expand(json::array({"/"})),
        data->execute_nav_search_string(json::array({"/", "sh"})),
        data->execute_nav_search_entity(json::array({"/", link("Project", rig.studio.project)})),
        data->execute_method([](Site&, const json&, const json&) { return json(1); }),
        data->request_attachment(
            {{"type", "Attachment"}, {"id", file}, {"this_file", {{"name", "take.mov"}}}}),
        data->request_thumbnail(url, "Version", version, "image"),
        data->request_thumbnail_source("Version", version)};
    rig.loop.poll();
    CHECK(rig.studio.site.request_count() == before);
    CHECK(heard.size() == 0);
    for (const auto& request : all) CHECK(request.state() == TaskState::ready);
    data->start();
    REQUIRE(rig.until([&] { return heard.size() == all.size(); }));
    for (const auto& request : all) {
        INFO(heard.last(request.uid()).message);
        CHECK(heard.of(request.uid()) == "c");
    }
    CHECK(rig.studio.counts->prototype_calls == 0);
}

TEST_CASE("T102: each site call answers with its type, its keys and the uid that was returned") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto shot = rig.studio.shot;
    struct Case {
        const char* type;
        Request request;
        Texts keys;
    };
    const std::vector<Case> cases{
        {"schema", data->get_schema(), {"fields", "types"}},
        {"find", data->execute_find(rig.args_of_find()), {"sg"}},
        {"find_one", data->execute_find_one(rig.args_of_find()), {"sg"}},
        {"create",
         data->execute_create(
             json::array({"Shot", {{"code", "sh020"}, {"project", link("Project", rig.studio.project)}}})),
         {"sg"}},
        {"update", data->execute_update(json::array({"Shot", shot, {{"description", "d"}}})), {"sg"}},
        {"text_search", data->execute_text_search(json::array({"sh010", {{"Shot", json::array()}}})), {"sg"}},
        {"nav_expand", data->execute_nav_expand(json::array({"/"})), {"sg"}},
        {"nav_search_string", data->execute_nav_search_string(json::array({"/", "sh"})), {"sg"}},
        {"nav_search_entity",
         data->execute_nav_search_entity(json::array({"/", link("Shot", shot)})),
         {"sg"}},
        {"delete", data->execute_delete(json::array({"Shot", shot})), {"sg"}},
        {"method",
         data->execute_method([](Site&, const json&, const json&) { return json(7); }),
         {"return_value"}}};
    REQUIRE(rig.until([&] { return heard.size() == cases.size(); }));
    for (const auto& [type, request, keys] : cases) {
        const auto signal = heard.last(request.uid());
        INFO(type << " " << signal.message);
        CHECK(heard.of(request.uid()) == "c");
        CHECK(signal.type == type);
        CHECK(keys_of(signal.data) == keys);
        const auto reply = request.get();
        CHECK(reply.type == type);
        CHECK(reply.data == signal.data);
        CHECK(Uid::parse(request.uid().str()) == request.uid());
        CHECK(request.state() == TaskState::completed);
    }
    CHECK(cases[1].request.get().sg<json>()[0]["code"] == "sh010");
    CHECK(cases[9].request.get().sg<bool>());
    CHECK(cases[8].request.get().sg<json>().is_array());
}

TEST_CASE("T103: arguments by place and by name reach the site unchanged") {
    Rig rig;
    const auto data = rig.make();
    data->start();
    rig.studio.site.add("Shot", {{"code", "sh020"}, {"project", link("Project", rig.studio.project)}});
    const auto args = json::array({"Shot", json::array({json::array({"code", "starts_with", "sh"})})});
    const json kwargs{{"fields", {"code"}},
                      {"limit", 1},
                      {"order", json::array({{{"field_name", "code"}, {"direction", "desc"}}})}};
    const auto found = data->execute_find(args, kwargs).get().sg<json>();
    CHECK(rig.studio.counts->all_arguments() == std::vector<json>{json::array({args, kwargs})});
    REQUIRE(found.size() == 1);
    CHECK(found[0]["code"] == "sh020");
}

TEST_CASE("T104: a schema is that of the site or of a project, fields first") {
    Rig rig;
    const auto data = rig.make();
    data->start();
    CHECK(data->get_schema().get().data["types"].contains("Shot"));
    CHECK(data->get_schema(rig.studio.project).get().data["fields"]["Shot"].contains("code"));
    CHECK(rig.studio.counts->names() ==
          Texts{"schema_read", "schema_entity_read", "schema_read", "schema_entity_read"});
    const auto all = rig.studio.counts->all_arguments();
    const auto none = json::array({json::array({nullptr}), json::object()});
    const auto project = json::array({json::array({link("Project", rig.studio.project)}), json::object()});
    CHECK(all == std::vector<json>{none, none, project, project});
}

TEST_CASE("T105: a method gets a clone and its arguments, and what it returns is the reply") {
    Rig rig;
    const auto data = rig.make();
    data->start();
    const auto done = data->execute_method(
        [](Site& site, const json& args, const json& kwargs) {
            return json{args, kwargs, site.find_one("Shot", json::array(), {"code"})["code"]};
        },
        json::array({1, "two"}), {{"three", 3}});
    CHECK(done.get().data["return_value"] == json{json::array({1, "two"}), {{"three", 3}}, "sh010"});
    CHECK(rig.studio.counts->clones == 1);
    CHECK(rig.studio.counts->prototype_calls == 0);
}

TEST_CASE("T106: a search for a project is answered from its row alone") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto project = rig.studio.project;
    const auto found = data->execute_nav_search_entity(json::array({"/", link("Project", project)}));
    CHECK(rig.studio.counts->names().size() <= 1);
    const auto answer = found.get().sg<json>();
    CHECK(rig.studio.counts->names() == Texts{"find_one"});
    REQUIRE(answer.size() == 1);
    CHECK(answer[0]["incremental_path"] == json::array({"/Project/" + std::to_string(project)}));
    CHECK(answer[0]["label"] == "Demo");
    CHECK(answer[0]["path_label"] == "");
    CHECK(answer[0]["project_id"] == project);
    CHECK(answer[0]["ref"]["name"] == "Demo");
    const auto unknown = data->execute_nav_search_entity(json::array({"/", link("Project", 9999)}));
    CHECK(throws<Error>([&] { static_cast<void>(unknown.get()); }));
    REQUIRE(rig.until([&] { return heard.size() == 2; }));
    CHECK(heard.of(unknown.uid()) == "f");
}

TEST_CASE("T107: what is on the disk comes first, then schemas, calls, attachments and thumbnails") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("new picture");
    const auto [other, cached_url] = rig.studio.thumbnail("old picture");
    const auto attached = [&](const char* name) -> json {
        const auto id = rig.studio.upload("Version", version, "", name, name);
        return {{"type", "Attachment"}, {"id", id}, {"this_file", {{"name", name}}}};
    };
    const auto file = attached("new.txt"), cached_file = attached("old.txt");
    {
        const auto before = rig.make();
        before->start();
        static_cast<void>(before->request_thumbnail(cached_url, "Version", other, "image").get());
        static_cast<void>(before->request_attachment(cached_file).get());
    }
    const auto data = rig.make();
    const Heard heard(*data);
    const std::vector<Uid> wanted_last_first{data->request_thumbnail(url, "Version", version, "image"),
                                             data->request_attachment(file),
                                             data->execute_find(rig.args_of_find()),
                                             data->execute_find(rig.args_of_find()),
                                             data->get_schema(),
                                             data->request_thumbnail(cached_url, "Version", other, "image"),
                                             data->request_attachment(cached_file)};
    data->start();
    REQUIRE(rig.until([&] { return heard.size() == 7; }));
    CHECK(heard.types() == Texts{"check_attachment", "check_thumbnail", "schema", "find", "find",
                                 "download_attachment", "download_thumbnail"});
    CHECK(heard.all()[3].uid == wanted_last_first[2]);
    CHECK(heard.all()[4].uid == wanted_last_first[3]);
}

TEST_CASE("T116: arguments of the wrong kind are refused at the call") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    const auto refused = [](auto call) { return throws<std::invalid_argument>(call); };
    CHECK(refused([&] { static_cast<void>(data->execute_find(json::object())); }));
    CHECK(refused([&] { static_cast<void>(data->execute_find(json::array(), json::array())); }));
    CHECK(refused([&] { static_cast<void>(data->execute_update(nullptr)); }));
    CHECK(refused([&] { static_cast<void>(data->execute_method(nullptr)); }));
    CHECK(refused([&] {
        static_cast<void>(data->execute_method([](Site&, const json&, const json&) { return json(); }, 1));
    }));
    data->start();
    CHECK(data->clear() == 0);
    CHECK(rig.studio.counts->names().empty());
    CHECK(heard.size() == 0);
}

TEST_CASE("T117: a request that fails has a message, whatever was thrown") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    struct Own : std::exception {
        const char* what() const noexcept override { return ""; }
    };
    const auto silent = data->execute_method([](Site&, const json&, const json&) -> json { throw Own(); });
    const auto number = data->execute_method([](Site&, const json&, const json&) -> json { throw 3; });
    const auto unknown = data->execute_find(json::array({"Nonsense", json::array()}));
    const auto wrong =
        data->execute_find(json::array({"Shot", json::array(), nullptr, 1, 2, 3, 4, 5, 6, 7, 8}));
    const auto twice = data->execute_find(json::array({"Shot"}), {{"entity_type", "Shot"}});
    REQUIRE(rig.until([&] { return heard.size() == 5; }));
    CHECK(heard.kinds() == "fffff");
    for (const auto& signal : heard.all()) CHECK_FALSE(signal.message.empty());
    CHECK(throws<Own>([&] { static_cast<void>(silent.get()); }));
    CHECK(throws<int>([&] { static_cast<void>(number.get()); }));
    CHECK(heard.last(unknown).message.find("Nonsense") != std::string::npos);
    CHECK(heard.last(wrong).message.find("by place") != std::string::npos);
    CHECK(heard.last(twice).message.find("twice") != std::string::npos);
}

TEST_CASE("T119: a stage that takes too long fails its request, and the next one goes on") {
    Rig rig;
    const auto data = rig.make([](retriever::Options& options) { options.stage_timeout = 100ms; });
    const Heard heard(*data);
    data->start();
    const auto gate = rig.hold("read");
    const auto slow = data->execute_find(rig.args_of_find());
    const auto next = data->execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(1));
    rig.clock->advance(99ms);
    rig.loop.poll();
    CHECK(heard.size() == 0);
    rig.clock->advance(1ms);
    REQUIRE(rig.until([&] { return heard.size() >= 1; }));
    CHECK(heard.of(slow) == "f");
    CHECK(heard.last(slow).message.find("100 ms") != std::string::npos);
    CHECK(throws<TimedOut>([&] { static_cast<void>(slow.get()); }));
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() >= 2; }));
    CHECK(heard.of(next) == "c");
    CHECK(heard.of(slow) == "f");
}

TEST_CASE("T120: slots run on the owner's thread, and none is needed for an answer") {
    Rig rig(GENERATE(0U, 1U));
    const auto data = rig.make();
    data->start();
    CHECK(data->execute_find(rig.args_of_find()).get().type == "find");
    CHECK(rig.loop.poll() == 0);
    const Heard heard(*data);
    const auto found = data->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.on_one_thread());
    CHECK(heard.of(found) == "c");
}

TEST_CASE("T121: retrievers that share a manager hear of their own requests only, each once") {
    Rig rig(4);
    const auto one = rig.make(), two = rig.make();
    const Heard heard_one(*one), heard_two(*two);
    std::set<Uid> own_one, own_two;
    const auto nothing = [](Site&, const json&, const json&) { return json(); };
    for (int i = 0; i < 500; ++i) {
        own_one.insert(one->execute_method(nothing));
        own_two.insert(two->execute_method(nothing));
    }
    REQUIRE(rig.until([&] { return heard_one.size() >= 500 && heard_two.size() >= 500; }));
    CHECK(rig.loop.poll() == 0);
    for (const auto& [heard, own] : {std::pair{&heard_one, &own_one}, std::pair{&heard_two, &own_two}}) {
        std::set<Uid> uids;
        for (const auto& signal : heard->all()) uids.insert(signal.uid);
        CHECK(heard->size() == 500);
        CHECK(uids == *own);
    }
}

TEST_CASE("T122: tasks of others on a shared manager are nothing to a retriever") {
    Rig rig(2);
    const auto data = rig.make();
    const Heard heard(*data);
    std::atomic<int> foreign{0};
    const auto connection =
        rig.manager->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++foreign; });
    for (const char* group : {"0", "1", "#1", "#2", "thumbnails"}) {
        TaskSpec spec;
        spec.group = group;
        rig.manager->add_task([](const TaskContext&) { return json(7); }, spec);
    }
    const auto found = data->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return heard.size() == 1 && foreign == 5; }));
    CHECK(heard.of(found) == "c");
    CHECK(rig.errors == 0);
}

TEST_CASE("a coroutine awaits requests, and a slot may be one") {
    Rig rig;
    const auto data = rig.make();
    std::vector<std::string> seen;
    struct Steps {
        static Async names(DataRetriever& retriever, json args, std::vector<std::string>& out) {
            const auto found = retriever.execute_find(args);
            const auto reply = co_await found;
            for (const auto& row : reply.data.at("sg")) out.push_back(row.at("code").get<std::string>());
        }
        static Async note(Uid, const std::string type, const json, std::vector<std::string>& out) {
            out.push_back(type);
            co_return;
        }
    };
    const auto connection = data->on_work_completed([&](Uid uid, const std::string& type, const json& reply) {
        return Steps::note(uid, type, reply, seen);
    });
    Steps::names(*data, rig.args_of_find(), seen).detach();
    CHECK(seen.empty());
    data->start();
    REQUIRE(rig.until([&] { return seen.size() == 2; }));
    CHECK(seen == Texts{"find", "sh010"});
    CHECK(rig.errors == 0);
}
