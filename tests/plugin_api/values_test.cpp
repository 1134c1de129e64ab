// Values of fields, out and in.

#include <sg/site.hpp>
#include <sg/testing.hpp>

#include "catch.hpp"

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("times and days are written as the site takes them, and read back the same") {
    const UtcTime time = std::chrono::sys_days(Date(2026y / 3 / 4)) + 5h + 6min + 7s;
    CHECK(time_text(time) == "2026-03-04T05:06:07Z");
    CHECK(time_text(time + 999ms) == "2026-03-04T05:06:07Z");  // cut, not rounded
    CHECK(time_text(UtcTime{} - 1ms) == "1969-12-31T23:59:59Z");
    CHECK(read_time("2026-03-04T05:06:07Z") == time);
    CHECK(read_time("2026-03-04 05:06:07 UTC") == time);
    CHECK(date_text(2024y / 2 / 29) == "2024-02-29");
    CHECK(read_date("2024-02-29") == Date(2024y / 2 / 29));
    CHECK_THROWS_AS(date_text(2026y / 2 / 29), Error);
    CHECK_THROWS_AS(date_text(Date{}), Error);
}

TEST_CASE("what is no time and no day reads as none") {
    for (const json& value : {json(), json(5), json(""), json("2026-03-04"), json("2026-03-04T05:06:07"),
                              json("2026-03-04T25:06:07Z"), json("2026-13-04T05:06:07Z"),
                              json("2026-03-04T05:06:07.5Z"), json("yyyy-03-04T05:06:07Z")})
        CHECK_FALSE(read_time(value));
    for (const json& value : {json(), json("2026-02-29"), json("2026-3-4"), json("2026-03-04T05:06:07Z")})
        CHECK_FALSE(read_date(value));
}

TEST_CASE("lists of links go out as type and id, and come back") {
    const EntityId big = 9007199254740993;
    const auto value = links({{"Asset", 12, "tree"}, {"Asset", big, ""}});
    CHECK(value ==
          json::parse(R"([{"type": "Asset", "id": 12}, {"type": "Asset", "id": 9007199254740993}])"));
    CHECK(read_links(value).at(1).id == big);
    CHECK(read_links(nullptr).empty());
    CHECK(read_links(json::parse(R"([{"type": "Asset"}, 7, {"type": "Asset", "id": 1}])")).size() == 1);
    CHECK(links({}).dump() == "[]");
    CHECK_THROWS_AS(links({EntityRef{}}), Error);
}

TEST_CASE("file links of each kind read as the site sends them") {
    const auto upload = FileLink::from_json(json::parse(R"({"id": 538, "type": "Attachment",
        "name": "plate.jpg", "content_type": "image/jpeg", "link_type": "upload",
        "url": "https://studio.example.com/file_serve/attachment/538"})"));
    CHECK(upload.kind == FileLink::Kind::upload);
    CHECK(upload.attachment.id == 538);
    CHECK(upload.content_type == "image/jpeg");
    CHECK_THROWS_AS(json(upload), Error);

    const auto web = FileLink::from_json(json::parse(R"({"name": "Review page", "content_type": null,
        "link_type": "web", "url": "https://wiki.example.com/r/1"})"));
    CHECK(web.kind == FileLink::Kind::web);
    CHECK(web.content_type.empty());

    const auto local = FileLink::from_json(json::parse(R"({"name": "take2.mov", "link_type": "local",
        "local_storage": {"type": "LocalStorage", "id": 1, "name": "primary"},
        "relative_path": "dailies/take2.mov", "local_path": "/Volumes/p/dailies/take2.mov",
        "local_path_linux": "/mnt/p/dailies/take2.mov", "local_path_windows": null,
        "url": "file:///mnt/p/dailies/take2.mov"})"));
    CHECK(local.kind == FileLink::Kind::local);
    CHECK(local.local_path == "/mnt/p/dailies/take2.mov");
    CHECK(local.storage.id == 1);
    CHECK_FALSE(FileLink::from_json(nullptr));
}

TEST_CASE("file links of each kind are written as the site takes them") {
    CHECK(json(FileLink::web("https://wiki.example.com/r/1", "Review")) ==
          json::parse(R"({"url": "https://wiki.example.com/r/1", "name": "Review"})"));
    CHECK(json(FileLink::local("/mnt/p/a.mov")) == json::parse(R"({"local_path": "/mnt/p/a.mov"})"));
    CHECK(json(FileLink::in_storage({"LocalStorage", 1, "primary"}, "a/b.mov")) ==
          json::parse(R"({"local_storage": {"type": "LocalStorage", "id": 1}, "relative_path": "a/b.mov"})"));
    CHECK(json(FileLink{}).is_null());
    CHECK_THROWS_AS(json(FileLink::web("")), Error);
    CHECK_THROWS_AS(json(FileLink::in_storage({}, "a/b.mov")), Error);
}

TEST_CASE("an image is there, in the making, or not there") {
    CHECK(image_state(nullptr) == ImageState::none);
    CHECK(image_state("https://studio.example.com/images/status/transient/thumbnail_pending.png") ==
          ImageState::making);
    CHECK(image_state("https://storage.example.com/t.jpg?X-Amz-Expires=900") == ImageState::ready);
}

TEST_CASE("the retired entity behind an event's null link is found") {
    testing::FakeSite site;
    const auto shot = site.add("Shot", {{"code", "sh010"}});
    const auto at_hand =
        testing::EventFromJson(json{{"id", 7},
                                    {"event_type", "Shotgun_Shot_Retirement"},
                                    {"entity", nullptr},
                                    {"meta", {{"entity_type", "Shot"}, {"entity_id", shot.id}}}});
    CHECK(site.find_retired(at_hand, {"code"}).is_null());  // not retired
    site.retire(shot);
    CHECK(site.find_retired(at_hand, {"code"})["code"] == "sh010");

    // Where meta says nothing, the site is asked for what the event points to.
    const auto silent = testing::EventFromJson(json{
        {"id", 8}, {"event_type", "Shotgun_CustomEntity07_Change"}, {"entity", nullptr}, {"meta", nullptr}});
    site.find_retired(silent);
    const auto& asked = site.seen().back().arguments;
    CHECK(asked["type"] == "CustomEntity07");
    CHECK(asked["retired_only"] == true);
    CHECK(asked["filters"] == json::parse(R"([["$FROM$EventLogEntry.entity.id", "is", 8]])"));
    const auto other = testing::EventFromJson(json{{"id", 9}, {"event_type", "CRS_Login"}});
    CHECK(site.find_retired(other).is_null());
}

TEST_CASE("the fake site adds to lists, takes from them, revives, and keeps batches whole") {
    testing::FakeSite site;
    const EntityRef a{"Asset", 1, ""}, b{"Asset", 2, ""};
    const auto shot = site.add("Shot", {{"code", "sh010"}, {"assets", links({a})}});
    site.update(shot, {{"assets", links({a, b})}}, {{"assets", UpdateMode::add}});
    CHECK(read_links(site.row(shot)["assets"]) == std::vector<EntityRef>{a, b});
    site.update(shot, {{"assets", links({a})}}, {{"assets", UpdateMode::remove}});
    CHECK(read_links(site.row(shot)["assets"]) == std::vector<EntityRef>{b});
    CHECK(site.remove(shot));
    CHECK(site.revive(shot));
    CHECK_FALSE(site.revive(shot));
    site.take_events();

    Batch batch;
    batch.update(shot, {{"code", "sh011"}}).remove({"Shot", 999, ""});
    CHECK_THROWS_AS(site.batch(batch), Error);
    CHECK(site.row(shot)["code"] == "sh010");
    CHECK(site.take_events().empty());
    CHECK(site.batch(Batch{}.create("Shot", {{"code", "sh020"}}).remove(shot)).size() == 2);
}
