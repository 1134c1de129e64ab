// Equal downloads are made once.

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// A picture whose download is held at a gate of the storage.
struct Joint : Rig {
    explicit Joint(unsigned threads) : Rig(threads) {
        std::tie(version, url) = studio.thumbnail("picture");
        gate = hold("storage_get");
        data = make();
        heard.emplace(*data);
        studio.site.forget_requests();
        data->start();
    }
    Request ask(DataRetriever& of, int signature = 0) {
        return of.request_thumbnail(url + "?s=" + std::to_string(signature), "Version", version, "image");
    }
    Request ask(int signature = 0) { return ask(*data, signature); }
    bool wait_joined(std::size_t count) {
        return until([&] { return cache.downloads().joined() == count; });
    }
    bool is_stored() {
        const auto folder = root / "cache" / "thumbs";
        if (!fs::exists(folder)) return false;
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file()) return true;
        return false;
    }

    sandbox::Id version = 0;
    std::string url;
    std::shared_ptr<sandbox::Gate> gate;
    std::unique_ptr<DataRetriever> data;
    std::optional<Heard> heard;
};

}  // namespace

TEST_CASE("T158: fifty requests for one file make one download and hold one worker") {
    Joint rig(4);
    std::vector<Request> all;
    for (int i = 0; i < 50; ++i) all.push_back(rig.ask(i));
    REQUIRE(rig.gate->wait_held(1));
    REQUIRE(rig.wait_joined(50));
    const auto found = rig.data->execute_find(rig.args_of_find());
    REQUIRE(rig.until([&] { return rig.heard->of(found) == "c"; }));
    CHECK(rig.heard->size() == 1);
    rig.gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 51; }));
    CHECK(rig.studio.site.request_count("storage_get") == 1);
    const auto path = all[0].get().path();
    REQUIRE(path);
    for (const auto& request : all) {
        CHECK(rig.heard->of(request) == "c");
        CHECK(request.get().path() == path);
    }
    CHECK(rig.cache.downloads().count() == 0);
}

TEST_CASE("T159: stopping the first of three joined requests leaves the others their file") {
    Joint rig(4);
    const auto first = rig.ask();
    REQUIRE(rig.gate->wait_held(1));
    const auto second = rig.ask(1), third = rig.ask(2);
    REQUIRE(rig.wait_joined(3));
    CHECK(rig.data->stop_work(first));
    REQUIRE(rig.until([&] { return rig.heard->size() == 1; }));
    CHECK_FALSE(rig.studio.counts->is_stopped());
    rig.gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 3; }));
    CHECK(rig.heard->of(first) == "x");
    CHECK(rig.heard->of(second) == "c");
    CHECK(rig.heard->of(third) == "c");
}

TEST_CASE("T160: stopping all joined requests stops the download, and nothing is stored") {
    Joint rig(4);
    const auto first = rig.ask();
    REQUIRE(rig.gate->wait_held(1));
    const auto second = rig.ask(1), third = rig.ask(2);
    REQUIRE(rig.wait_joined(3));
    CHECK(rig.data->stop_work(second));
    CHECK(rig.data->stop_work(first));
    CHECK_FALSE(rig.studio.counts->is_stopped());
    CHECK(rig.data->stop_work(third));
    CHECK(rig.studio.counts->is_stopped());
    REQUIRE(rig.until([&] { return rig.heard->size() == 3; }));
    CHECK(rig.heard->kinds() == "xxx");
    rig.gate->open();
    REQUIRE(rig.until([&] { return rig.manager->stats().running == 0; }));
    CHECK_FALSE(rig.is_stored());
    const auto later = rig.ask(3);
    REQUIRE(rig.until([&] { return rig.heard->size() == 4; }));
    CHECK(rig.heard->of(later) == "c");
}

TEST_CASE("T161: a joined download that fails, fails all of them once, and is tried again later") {
    Joint rig(4);
    rig.studio.site.clear_faults();
    const auto gate = std::make_shared<sandbox::Gate>();
    rig.studio.site.inject(Fault::status(500).behind(gate).on("storage_get"));
    const auto first = rig.ask();
    REQUIRE(gate->wait_held(1));
    static_cast<void>(rig.ask(1));
    static_cast<void>(rig.ask(2));
    REQUIRE(rig.wait_joined(3));
    gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 3; }));
    CHECK(rig.heard->kinds() == "fff");
    const auto later = rig.ask(3);
    REQUIRE(rig.until([&] { return rig.heard->size() == 4; }));
    CHECK(rig.heard->last(later).type == "download_thumbnail");
}

TEST_CASE("T162: retrievers that share a cache, and a helper, share a download") {
    Joint rig(4);
    rig.manager.reset();  // the second one owns its own
    const auto other = rig.make();
    const Heard heard(*other);
    other->start();
    const auto first = rig.ask();
    REQUIRE(rig.gate->wait_held(1));
    const auto second = rig.ask(*other, 1);
    fs::path third;
    std::thread helper([&] { third = other->download_thumbnail(rig.url + "?s=3"); });
    REQUIRE(rig.wait_joined(3));
    rig.gate->open();
    helper.join();
    REQUIRE(rig.until([&] { return rig.heard->size() == 1 && heard.size() == 1; }));
    CHECK(rig.studio.site.request_count("storage_get") == 1);
    CHECK(bytes_of(third) == "picture");
    CHECK(first.get().path() == third);
    CHECK(second.get().path() == third);
}

TEST_CASE("a queued download whose first request is stopped is made for the others, at its place") {
    Joint rig(1);
    rig.gate->open();
    const Gate door;
    static_cast<void>(rig.data->execute_method(door.work("through")));
    REQUIRE(door.wait_entered());
    const auto first = rig.ask(), second = rig.ask(1);
    const auto gate = rig.hold("read");
    static_cast<void>(rig.data->execute_find(rig.args_of_find()));
    const auto [other_version, other_url] = rig.studio.thumbnail("other");
    const auto later = rig.data->request_thumbnail(other_url, "Version", other_version, "image");
    door.open();
    REQUIRE(gate->wait_held(1));
    REQUIRE(rig.wait_joined(3));
    CHECK(second.state() == TaskState::waiting);
    CHECK(rig.data->stop_work(first));
    CHECK(second.state() == TaskState::ready);
    gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 5; }));
    CHECK(rig.heard->of(first) == "x");
    CHECK(rig.heard->of(second) == "c");
    CHECK(rig.heard->all()[3].uid == second.uid());
    CHECK(rig.heard->all()[4].uid == later.uid());
}

TEST_CASE("a download survives the retriever that queued it") {
    Joint rig(1);
    rig.gate->open();
    const Gate door;
    static_cast<void>(rig.data->execute_method(door.work("through")));
    REQUIRE(door.wait_entered());
    const auto gate = rig.hold("read");
    const auto first = rig.ask();
    static_cast<void>(rig.data->execute_find(rig.args_of_find()));
    door.open();
    REQUIRE(gate->wait_held(1));  // the download is queued behind this find
    rig.manager = rig.make_manager(1);
    const auto other = rig.make();
    const Heard heard(*other);
    const auto second = rig.ask(*other, 1);
    REQUIRE(rig.wait_joined(2));
    std::thread stopper([&] { rig.data->stop(); });
    CHECK(throws<Stopped>([&] { static_cast<void>(first.get()); }));
    gate->open();
    stopper.join();
    REQUIRE(rig.until([&] { return heard.size() == 1; }));
    CHECK(heard.of(second) == "c");
    CHECK(bytes_of(*second.get().path()) == "picture");
}

TEST_CASE("clear cancels a request that has joined the running download of another one") {
    Joint rig(4);
    const auto first = rig.ask();
    REQUIRE(rig.gate->wait_held(1));
    const auto second = rig.ask(1);
    REQUIRE(rig.wait_joined(2));
    CHECK(rig.data->clear() == 1);
    rig.gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 2; }));
    CHECK(rig.heard->of(first) == "c");
    CHECK(rig.heard->of(second) == "x");
}

TEST_CASE("a download that takes too long fails all that have joined it") {
    Joint rig(4);
    const auto hasty = rig.make([](retriever::Options& options) { options.stage_timeout = 100ms; });
    const Heard heard(*hasty);
    const auto first = rig.ask(*hasty);
    REQUIRE(rig.gate->wait_held(1));
    const auto second = rig.ask(1);
    REQUIRE(rig.wait_joined(2));
    rig.clock->advance(100ms);
    REQUIRE(rig.until([&] { return heard.size() == 1 && rig.heard->size() == 1; }));
    CHECK(heard.of(first) == "f");
    CHECK(rig.heard->of(second) == "f");
    CHECK(throws<TimedOut>([&] { static_cast<void>(second.get()); }));
    rig.gate->open();
}

TEST_CASE("a refresh joins only another refresh") {
    Joint rig(4);
    const auto first = rig.ask();
    REQUIRE(rig.gate->wait_held(1));
    const auto refresh = [&] {
        return rig.data->request_thumbnail(rig.url, "Version", rig.version, "image",
                                           {Image::path_only, CachePolicy::refresh});
    };
    const auto second_gate = rig.hold("storage_get");
    const auto second = refresh(), third = refresh();
    REQUIRE(second_gate->wait_held(1));
    REQUIRE(rig.wait_joined(3));
    CHECK(rig.cache.downloads().count() == 2);
    second_gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 2; }));
    CHECK(rig.heard->of(first).empty());
    rig.gate->open();
    REQUIRE(rig.until([&] { return rig.heard->size() == 3; }));
    CHECK(rig.heard->kinds() == "ccc");
    CHECK(rig.studio.site.request_count("storage_get") == 2);
}
