// The two helpers that fetch on the calling thread.

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T184: a thumbnail is fetched on the calling thread, found again, and refused without a url") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const auto path = data->download_thumbnail(url);
    CHECK(bytes_of(path) == "picture");
    const auto count = rig.studio.site.request_count();
    CHECK(data->download_thumbnail(url) == path);
    CHECK(rig.studio.site.request_count() == count);
    CHECK(throws<std::invalid_argument>([&] { data->download_thumbnail(""); }));
    const auto [other, other_url] = rig.studio.thumbnail("other");
    rig.studio.site.inject(Fault::status(500).on("file_serve"));
    const auto text = text_of([&] { data->download_thumbnail(other_url); });
    CHECK(text.find("download of " + other_url + " failed") == 0);
    CHECK(text.find("500") != std::string::npos);
    rig.studio.site.inject(Fault::status(403).on("file_serve"));
    CHECK(throws<Error>([&] { data->download_thumbnail(other_url); }));
    CHECK(rig.studio.counts->prototype_calls == 0);
}

TEST_CASE("T185: a source thumbnail has the suffix of what came, and is found again") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const auto path = data->download_thumbnail_source("Version", version);
    CHECK(bytes_of(path) == "picture");
    CHECK(path.extension() == ".png");
    const auto count = rig.studio.site.request_count();
    CHECK(data->download_thumbnail_source("Version", version) == path);
    CHECK(rig.studio.site.request_count() == count);
    CHECK(throws<Error>([&] { data->download_thumbnail_source("Version", 9999); }));
}

TEST_CASE("a helper does not wait for a download that nobody has begun") {
    Rig rig(1);
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const Heard heard(*data);
    const auto gate = rig.hold("read");
    const Gate door;
    const auto held = data->execute_method(door.work("through"));
    REQUIRE(door.wait_entered());
    const auto thumbnail = data->request_thumbnail(url, "Version", version, "image");
    const auto found = data->execute_find(rig.args_of_find());
    door.open();
    REQUIRE(gate->wait_held(1));  // the check is done, and the download queued behind this find
    CHECK(bytes_of(data->download_thumbnail(url)) == "picture");
    REQUIRE(rig.until([&] { return heard.size() == 2; }));  // the method, and the one that had joined
    CHECK(heard.last(thumbnail).type == "download_thumbnail");
    gate->open();
    REQUIRE(rig.until([&] { return heard.size() == 3; }));
    CHECK(rig.studio.site.request_count("storage_get") == 1);
}

TEST_CASE("stopping the retriever ends a helper that waits for the site") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    const auto data = rig.make();
    const auto gate = rig.hold("storage_get");
    std::string text;
    std::thread helper([&, url = url] { text = text_of([&] { data->download_thumbnail(url); }); });
    REQUIRE(gate->wait_held(1));
    data->stop();
    helper.join();
    CHECK(text.find("stopped") != std::string::npos);
    CHECK(rig.cache.downloads().count() == 0);
}
