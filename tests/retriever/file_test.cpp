// Thumbnails and attachments: found, fetched, replaced.

#include "retriever/thumbs.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T108, T109: a thumbnail is fetched once, and found on the disk from then on") {
    Thumbs rig;
    const auto first = rig.ask();
    const auto fetched = rig.end_of(first);
    INFO(fetched.message);
    REQUIRE(fetched.type == "download_thumbnail");
    CHECK(fetched.uid == first.uid());
    CHECK(fetched.data["image"].is_null());
    const auto path = first.get().path();
    REQUIRE(path);
    CHECK(bytes_of(*path) == "picture");
    const auto count = rig.studio.site.request_count();
    const auto found = rig.thumbnail();
    CHECK(found.type == "check_thumbnail");
    CHECK(found.data == json{{"thumb_path", path->string()}, {"image", nullptr}});
    CHECK(rig.studio.site.request_count() == count);
    CHECK(rig.heard->kinds() == "cc");
}

TEST_CASE("T110: without a url, or a path in it, there is no thumbnail") {
    Thumbs rig;
    std::vector<std::optional<std::string>> urls{std::nullopt, "", "https://studio.example.com",
                                                 "https://studio.example.com?a=b"};
    for (const auto& url : urls) {
        const auto request = rig.data->request_thumbnail(url, "Version", 1, "image", {Image::load, {}});
        const auto end = rig.end_of(request);
        CHECK(end.type == "check_thumbnail");
        CHECK(end.data == no_thumbnail);
    }
    CHECK(rig.heard->kinds() == "cccc");
    CHECK(rig.studio.counts->names().empty());
}

TEST_CASE("T111: the bytes of the file come along when asked for, as they are or decoded") {
    const std::string png("\x89PNG\r\n\x1a\n\0\0\xff", 11);
    SECTION("as they are") {
        Thumbs rig(png);
        for (const char* type : {"download_thumbnail", "check_thumbnail"}) {
            const auto request = rig.ask({Image::load, CachePolicy::use});
            CHECK(rig.end_of(request).type == type);
            const auto reply = request.get();
            REQUIRE(reply.image() != nullptr);
            CHECK(std::string(reply.image()->begin(), reply.image()->end()) == png);
        }
    }
    SECTION("decoded") {
        Thumbs rig([](retriever::Options& options) {
            options.decode_image = [](std::span<const std::uint8_t> bytes) { return json(bytes.size()); };
        });
        for (int i = 0; i < 2; ++i) CHECK(rig.thumbnail({Image::load, {}}).data["image"] == 7);
    }
}

TEST_CASE("T129: a check that finds nothing after a clear ends cancelled, without a download") {
    // The check looks at the clock where there is a picture that may be too old by now.
    const auto clock = std::make_shared<GatedClock>();
    Thumbs rig([&](retriever::Options& options) {
        retriever::FileCacheOptions how;
        how.root = clock->root.path();
        how.clock = clock;
        options.cache = FileCache(how);
    });
    rig.url = rig.studio.site.url() + "/images/status/transient/thumbnail_pending.png";
    CHECK(rig.thumbnail().type == "download_thumbnail");
    CHECK(rig.thumbnail().type == "check_thumbnail");
    clock->advance(21s);
    clock->is_gated = true;
    const auto request = rig.ask();
    REQUIRE(clock->door.wait_entered());
    CHECK(request.state() == TaskState::running);
    CHECK(rig.data->clear() == 0);
    clock->door.open();
    CHECK(rig.end_of(request).kind == 'x');
    CHECK(throws<Stopped>([&] { static_cast<void>(request.get()); }));
    CHECK(rig.downloads() == 1);
}

TEST_CASE("T130: a hit whose check is on a worker is told after a clear") {
    const Gate door;
    Thumbs rig([door](retriever::Options& options) {
        options.decode_image = [door](std::span<const std::uint8_t>) {
            door.pass();
            return json(1);
        };
    });
    CHECK(rig.thumbnail().kind == 'c');
    const auto request = rig.ask({Image::load, CachePolicy::use});
    REQUIRE(door.wait_entered());
    CHECK(rig.data->clear() == 0);
    door.open();
    CHECK(rig.end_of(request).type == "check_thumbnail");
}

TEST_CASE("T170: the type in the url of a source thumbnail is quoted") {
    Thumbs rig;
    static_cast<void>(rig.end_of(rig.data->request_thumbnail_source("Custom Entity", 12)));
    CHECK(rig.studio.counts->all_arguments() ==
          std::vector<json>{rig.studio.site.url() + "/thumbnail/full/Custom%20Entity/12"});
}

TEST_CASE("T171: a picture that says that the thumbnail is being made is asked for again") {
    Thumbs rig;
    rig.studio.site.hold_thumbnails(true);
    const auto other = rig.studio.add_version("slow");
    rig.studio.upload("Version", other, "image", "slow.png", "slow picture");
    const auto source = [&] { return rig.end_of(rig.data->request_thumbnail_source("Version", other)); };
    const auto first = source();
    INFO(first.message);
    REQUIRE(first.data["thumb_path"].is_string());
    const auto placeholder = rig.studio.site.url() + "/images/status/transient/thumbnail_pending.png";
    CHECK(fs::path(first.data["thumb_path"].get<std::string>()) == rig.entry(".png", placeholder));
    CHECK(source().type == "download_thumbnail");
    rig.clock->advance(21s);
    rig.studio.site.hold_thumbnails(false);
    const auto last = source();
    CHECK(bytes_of(last.data["thumb_path"].get<std::string>()) == "slow picture");
    CHECK(source().type == "check_thumbnail");
}

TEST_CASE("T172, T173: refresh replaces a source thumbnail, and keeps the old one if it fails") {
    Thumbs rig;
    const auto ask = [&](CachePolicy policy) {
        return rig.end_of(
            rig.data->request_thumbnail_source("Version", rig.version, {Image::path_only, policy}));
    };
    const auto first = ask(CachePolicy::use);
    REQUIRE(first.data["thumb_path"].is_string());
    const fs::path path(first.data["thumb_path"].get<std::string>());
    std::ifstream held(path);
    rig.studio.upload("Version", rig.version, "image", "new.png", "new picture");
    rig.answer_file(Fault::status(500));
    CHECK(ask(CachePolicy::refresh).kind == 'f');
    CHECK(bytes_of(path) == "picture");
    CHECK(ask(CachePolicy::use).type == "check_thumbnail");
    const auto anew = ask(CachePolicy::refresh);
    CHECK(anew.type == "download_thumbnail");
    CHECK(bytes_of(anew.data["thumb_path"].get<std::string>()) == "new picture");
    std::string still;
    held >> still;
    CHECK(still == "picture");
    // The new file goes by another suffix: the entry under the old one goes.
    const fs::path replaced(anew.data["thumb_path"].get<std::string>());
    rig.studio.upload("Version", rig.version, "image", "other.jpg", "other picture");
    const fs::path other(ask(CachePolicy::refresh).data["thumb_path"].get<std::string>());
    CHECK((replaced.extension() == ".png" && other.extension() == ".jpg"));
    CHECK(bytes_of(other) == "other picture");
    CHECK_FALSE(fs::exists(replaced));
}

TEST_CASE("T174, T175: attachments are kept by their own name, each by itself") {
    Thumbs rig;
    const auto record = [&](const char* name, const char* bytes) {
        const auto id = rig.studio.upload("Version", rig.version, "", name, bytes);
        const auto url = rig.studio.site.url() + "/file_serve/attachment/" + std::to_string(id);
        return json{{"type", "Attachment"}, {"id", id}, {"this_file", {{"name", name}, {"url", url}}}};
    };
    const auto one = record("a.png", "one"), two = record("a.png", "two");
    const auto first = rig.data->request_attachment(one), second = rig.data->request_attachment(two);
    const auto fetched = rig.end_of(first);
    INFO(fetched.message);
    REQUIRE(fetched.type == "download_attachment");
    REQUIRE(rig.end_of(second).kind == 'c');
    const auto key = FileCache::key(one["this_file"]["url"].get<std::string>());
    CHECK(*first.get().path() ==
          rig.root / "cache" / "attachments" / key.substr(0, 2) / key.substr(2, 2) / key.substr(4) / "a.png");
    CHECK(bytes_of(*first.get().path()) == "one");
    CHECK(bytes_of(*second.get().path()) == "two");
    const auto again = rig.end_of(rig.data->request_attachment(one));
    CHECK(again.type == "check_attachment");
    CHECK(again.data == json{{"file_path", first.get().path()->string()}});
}

TEST_CASE("T177: an attachment without an id is fetched from its url") {
    Thumbs rig;
    const auto request = rig.data->request_attachment({{"this_file", {{"name", "a.png"}, {"url", rig.url}}}});
    const auto end = rig.end_of(request);
    INFO(end.message);
    REQUIRE(end.type == "download_attachment");
    CHECK(bytes_of(*request.get().path()) == "picture");
}

TEST_CASE("T178: a local file that is there is the answer, and nothing is kept") {
    Thumbs rig;
    const auto file = rig.root / "take.mov";
    std::ofstream(file) << "movie";
    const json record{{"id", 5},
                      {"this_file",
                       {{"name", "take.mov"},
                        {"link_type", "local"},
                        {"local_path", file.string()},
                        {"url", "file:///x"}}}};
    const auto end =
        rig.end_of(rig.data->request_attachment(record, GENERATE(CachePolicy::use, CachePolicy::refresh)));
    CHECK(end.type == "check_attachment");
    CHECK(end.data == json{{"file_path", file.string()}});
    CHECK_FALSE(fs::exists(rig.root / "cache" / "attachments"));
}
