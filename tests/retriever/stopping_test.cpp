// Stopping one request, all of them, and the retriever.

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

bool was_stopped(const Request& request) {
    return throws<Stopped>([&] { static_cast<void>(request.get()); });
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("T123: stopping all tasks of the manager cancels requests, each once") {
    Rig rig(2);
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const Heard heard(*data);
    const auto gate = rig.hold("read", 2);
    const auto found = data->execute_find(rig.args_of_find()), other = data->execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(2));
    const auto thumbnail = data->request_thumbnail(url, "Version", version, "image");
    CHECK(rig.manager->stop_all_tasks() >= 3);  // cleaning is one, too
    REQUIRE(rig.until([&] { return heard.size() == 3; }));
    CHECK(heard.kinds() == "xxx");
    CHECK(was_stopped(found));
    CHECK(was_stopped(thumbnail));
    gate->open();
    REQUIRE(rig.until([&] { return rig.manager->stats().discarded_running == 0; }));
    CHECK(rig.loop.poll() == 0);
    CHECK(heard.size() == 3);
    CHECK(was_stopped(other));
}

TEST_CASE("T124: a queued request is stopped by the uid it returned, and never reaches the site") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto gate = rig.hold("read");
    const auto first = data->execute_find(rig.args_of_find());
    const auto second = data->execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(1));
    CHECK(data->stop_work(*Uid::parse(second.uid().str())));
    CHECK_FALSE(data->stop_work(second));
    CHECK(second.state() == TaskState::stopped);
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() == 2; }));
    CHECK(heard.of(first) == "c");
    CHECK(heard.of(second) == "x");
    CHECK(rig.studio.counts->names() == Texts{"find"});
    CHECK(rig.studio.site.request_count("read") == 1);
}

TEST_CASE("T125: a running call is cancelled at once, and its token set") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto gate = rig.hold("read");
    const auto found = data->execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(1));
    CHECK(found.state() == TaskState::running);
    CHECK(data->stop_work(found));
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.of(found) == "x");
    CHECK(rig.studio.counts->is_stopped());
    gate->open();
    const auto next = data->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return heard.size() == 2; }));
    CHECK(heard.of(found) == "x");
    CHECK(heard.of(next) == "c");
}

TEST_CASE("T126: a thumbnail between check and download is stopped, and not fetched") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const Gate door;
    const auto held = data->execute_method(door.work("through"));
    REQUIRE(door.wait_entered());
    // The check comes before this find, the download after it.
    const auto thumbnail = data->request_thumbnail(url, "Version", version, "image");
    const auto gate = rig.hold("read");
    const auto found = data->execute_find(rig.args_of_find());
    door.open();
    REQUIRE(gate->wait_held(1));
    CHECK(thumbnail.state() == TaskState::ready);
    CHECK(rig.cache.downloads().count() == 1);
    CHECK(data->stop_work(thumbnail));
    CHECK(rig.cache.downloads().count() == 0);
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() == 3; }));
    CHECK(heard.of(thumbnail) == "x");
    CHECK(heard.of(found) == "c");
    CHECK(rig.studio.counts->names() == Texts{"find"});
}

TEST_CASE("T127: what has ended, or never was, is not stopped") {
    Rig rig;
    const auto data = rig.make(), other = rig.make();
    const Heard heard(*data);
    data->start();
    const auto found = data->execute_find(rig.args_of_find());
    const auto foreign = other->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK_FALSE(data->stop_work(found));
    CHECK_FALSE(data->stop_work(Uid()));
    CHECK_FALSE(data->stop_work(Uid(1'000'000'000)));
    CHECK_FALSE(data->stop_work(foreign));
    CHECK(foreign.stop());
    CHECK_FALSE(found.stop());
}

TEST_CASE("T128: clear cancels what waits and lets what runs finish") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto gate = rig.hold("read");
    const auto running = data->execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(1));
    const auto waiting = data->execute_find(rig.args_of_find());
    const auto thumbnail = data->request_thumbnail(url, "Version", version, "image");
    CHECK(data->clear() == 2);
    CHECK_FALSE(rig.studio.counts->is_stopped());
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() == 3; }));
    CHECK(heard.of(running) == "c");
    CHECK(heard.of(waiting) == "x");
    CHECK(heard.of(thumbnail) == "x");
    const auto later = data->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return heard.size() == 4; }));
    CHECK(heard.of(later) == "c");
}

TEST_CASE("T131: clear lets a running download finish") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto gate = rig.hold("storage_get");
    const auto thumbnail = data->request_thumbnail(url, "Version", version, "image");
    REQUIRE(gate->wait_held(1));
    CHECK(data->clear() == 0);
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.last(thumbnail).type == "download_thumbnail");
    const auto path = thumbnail.get().path();
    REQUIRE(path);
    CHECK(bytes_of(*path) == "picture");
}

TEST_CASE("T132: stop blocks until what runs has returned, and nothing is told afterwards") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const Gate door;
    const auto running = data->execute_method(door.work("through"));
    const auto waiting = data->execute_find(rig.args_of_find());
    REQUIRE(door.wait_entered());
    std::atomic<bool> has_returned{false};
    std::thread stopper([&] {
        data->stop();
        has_returned = true;
    });
    CHECK(was_stopped(running));
    CHECK(was_stopped(waiting));
    CHECK_FALSE(has_returned);
    door.open();
    stopper.join();
    CHECK(has_returned);
    rig.loop.poll();
    CHECK(heard.size() == 0);
    CHECK(rig.studio.counts->names().empty());
}

TEST_CASE("T133: stop leaves a shared manager and the work of others alone") {
    Rig rig(2);
    const auto data = rig.make();
    const Heard heard(*data);
    const Gate door, foreign_door;
    const auto running = data->execute_method(door.work("through"));
    REQUIRE(door.wait_entered());
    const auto foreign = rig.manager->add_task([foreign_door](const TaskContext&) {
        foreign_door.pass();
        return json("foreign");
    });
    const auto queued = rig.manager->add_task([](const TaskContext&) { return json("queued"); });
    REQUIRE(foreign_door.wait_entered());
    std::atomic<bool> has_returned{false};
    std::thread stopper([&] {
        data->stop();
        has_returned = true;
    });
    CHECK(was_stopped(running));
    CHECK_FALSE(has_returned);
    door.open();
    stopper.join();
    foreign_door.open();
    CHECK(foreign.get() == "foreign");
    CHECK(queued.get() == "queued");
    CHECK(rig.manager->add_task([](const TaskContext&) { return json(1); }).get() == 1);
    rig.loop.poll();
    CHECK(heard.size() == 0);
}

TEST_CASE("T134: after stop every request is refused and nothing else happens") {
    Rig rig(GENERATE(0U, 1U));
    const auto data = rig.make();
    data->start();
    const auto before = data->execute_find(rig.args_of_find());
    static_cast<void>(before.get());
    data->stop();
    const auto closed = [](auto call) { return throws<Closed>(call); };
    CHECK(closed([&] { static_cast<void>(data->get_schema()); }));
    CHECK(closed([&] { static_cast<void>(data->execute_find(rig.args_of_find())); }));
    CHECK(closed([&] {
        static_cast<void>(data->execute_method([](Site&, const json&, const json&) { return json(); }));
    }));
    CHECK(closed([&] { static_cast<void>(data->request_attachment(json::object())); }));
    CHECK(closed([&] { static_cast<void>(data->request_thumbnail("http://h/a.jpg", "Shot", 1, {})); }));
    CHECK(closed([&] { static_cast<void>(data->request_thumbnail_source("Shot", 1)); }));
    CHECK(closed([&] { static_cast<void>(data->download_thumbnail("http://h/a.jpg")); }));
    CHECK(closed([&] { static_cast<void>(data->download_thumbnail_source("Shot", 1)); }));
    CHECK(closed([&] { data->start(); }));
    CHECK(data->clear() == 0);
    CHECK_FALSE(data->stop_work(before));
    data->stop();
}

TEST_CASE("T135: requests are refused once the shared manager was shut down") {
    Rig rig(1);
    auto data = rig.make();
    const Heard heard(*data);
    const Gate door;
    const auto running = data->execute_method(door.work("through"));
    REQUIRE(door.wait_entered());
    CHECK_FALSE(rig.manager->shut_down(0ms));
    CHECK(was_stopped(running));
    CHECK(throws<Closed>([&] { static_cast<void>(data->execute_find(rig.args_of_find())); }));
    CHECK(throws<Closed>([&] { static_cast<void>(data->download_thumbnail("http://h/a.jpg")); }));
    CHECK(throws<Closed>([&] { data->start(); }));
    door.open();
    data.reset();
    rig.loop.poll();
    CHECK(heard.size() == 0);
}

TEST_CASE("T136: start starts a shared manager for everybody") {
    Rig rig(1);
    const auto data = rig.make();
    rig.manager->pause_processing();
    const auto foreign = rig.manager->add_task([](const TaskContext&) { return json(1); });
    const auto found = data->execute_find(rig.args_of_find());
    CHECK(foreign.state() == TaskState::ready);
    data->start();
    CHECK(foreign.get() == 1);
    CHECK(found.get().type == "find");
}

TEST_CASE("T137: a method cannot stop the retriever that runs it") {
    Rig rig(GENERATE(0U, 2U));
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto request = data->execute_method([&](Site&, const json&, const json&) {
        data->stop();
        return json();
    });
    CHECK(throws<std::logic_error>([&] { static_cast<void>(request.get()); }));
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.of(request) == "f");
    CHECK(data->execute_find(rig.args_of_find()).get().type == "find");
}

TEST_CASE("T138: a retriever and its manager are destroyed in either order with requests under way") {
    Rig rig(2);
    auto data = rig.make();
    auto heard = std::make_unique<Heard>(*data);
    std::vector<Request> all;
    for (int i = 0; i < 100; ++i) all.push_back(data->execute_find(rig.args_of_find()));
    if (GENERATE(true, false)) {
        data.reset();
        rig.manager.reset();
    } else {
        rig.manager.reset();
        data.reset();
    }
    const auto before = heard->size();
    rig.loop.poll();
    CHECK(heard->size() == before);
    for (const auto& request : all)
        CHECK((request.state() == TaskState::stopped || request.state() == TaskState::completed));
}

TEST_CASE("a slot may stop the retriever, and no other is called then") {
    Rig rig(GENERATE(0U, 2U));
    const auto data = rig.make();
    int calls = 0;
    const auto connection = data->on_work_completed([&](Uid, const std::string&, const json&) {
        ++calls;
        data->stop();
    });
    const auto other = data->on_work_completed([&](Uid, const std::string&, const json&) { ++calls; });
    data->start();
    const auto first = data->execute_find(rig.args_of_find());
    static_cast<void>(first.get());
    REQUIRE(rig.until([&] { return calls > 0; }));
    rig.loop.poll();
    CHECK(calls == 1);
    CHECK(rig.errors == 0);
}

TEST_CASE("a request that is stopped after its answer came is cancelled, and its future keeps the answer") {
    Rig rig;
    const auto data = rig.make();
    const Heard heard(*data);
    data->start();
    const auto found = data->execute_find(rig.args_of_find());
    static_cast<void>(found.get());
    CHECK(data->stop_work(found));
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.of(found) == "x");
    CHECK(found.get().type == "find");
}
