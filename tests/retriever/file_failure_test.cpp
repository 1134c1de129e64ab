// Thumbnails and attachments that cannot be had: refused, expired, missing, no room for them.

#include <sys/resource.h>
#include <csignal>

#include "retriever/thumbs.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// Files of this process cannot grow beyond `bytes`, as on a disk that is full.
class NoRoom {
public:
    explicit NoRoom(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~NoRoom() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    NoRoom(const NoRoom&) = delete;
    NoRoom& operator=(const NoRoom&) = delete;

private:
    void (*handler_)(int);
    rlimit before_{};
};

}  // namespace

TEST_CASE("T112: a picture that cannot be decoded fails the request, once") {
    Thumbs rig([](retriever::Options& options) {
        options.decode_image = [](std::span<const std::uint8_t>) -> json {
            throw std::runtime_error("no picture");
        };
    });
    for (int i = 0; i < 2; ++i) {
        const auto end = rig.thumbnail({Image::load, {}});
        CHECK(end.kind == 'f');
        CHECK(end.message == "no picture");
    }
    CHECK(rig.heard->kinds() == "ff");
}

TEST_CASE("T113, T114: a cache that cannot be read or written fails the request, once") {
    Thumbs rig;
    fs::create_directories(rig.root / "cache");
    std::ofstream(rig.root / "cache" / GENERATE("thumbs", "tmp")) << "a file, not a folder";
    const auto end = rig.thumbnail();
    CHECK(end.kind == 'f');
    CHECK_FALSE(end.message.empty());
    CHECK(rig.heard->kinds() == "f");
}

TEST_CASE("T114: a file for which there is no room fails the request, once, and leaves nothing") {
    Thumbs rig(std::string(1'000'000, 'p'));
    {
        const NoRoom no_room(64'000);
        const auto end = rig.thumbnail();
        CHECK(end.kind == 'f');
        CHECK(end.message.find("File too large") != std::string::npos);
        CHECK(rig.heard->kinds() == "f");
    }
    CHECK(fs::is_empty(rig.root / "cache" / "tmp"));
    CHECK_FALSE(fs::exists(rig.entry(".png")));
    CHECK(rig.thumbnail().type == "download_thumbnail");
}

TEST_CASE("T115: a malformed record of an attachment fails its request, later and once") {
    Thumbs rig;
    for (const auto& record :
         {json::object(), json{{"this_file", {{"name", "a"}}}}, json{{"id", 5}, {"this_file", 3}}, json(7)}) {
        INFO(record.dump());
        const auto request =
            rig.data->request_attachment(record, GENERATE(CachePolicy::use, CachePolicy::refresh));
        const auto end = rig.end_of(request);
        CHECK(end.kind == 'f');
        CHECK_FALSE(end.message.empty());
        CHECK(rig.heard->of(request) == "f");
    }
    CHECK(rig.studio.counts->names().empty());
}

TEST_CASE("T118: what fails shows the path of its url, and not what signs it") {
    Thumbs rig;
    rig.answer_file(Fault::status(500));
    const auto request =
        rig.data->request_thumbnail(rig.url + "?Signature=abc", "Version", rig.version, std::nullopt);
    const auto end = rig.end_of(request);
    CHECK(end.kind == 'f');
    CHECK(end.message.find("download of " + rig.url + " failed: ") == 0);
    CHECK(end.message.find("Signature") == std::string::npos);
    CHECK(rig.studio.log.all().find("Signature") == std::string::npos);
}

TEST_CASE("T164: an expired url is asked for again, and the file kept under the first one") {
    Thumbs rig;
    const auto old = rig.url;
    rig.studio.upload("Version", rig.version, "image", "new.png", "new picture");
    rig.answer_file(Fault::status(GENERATE(400U, 401U, 403U, 404U, 410U)));
    const auto end = rig.thumbnail();
    INFO(end.message);
    CHECK(end.type == "download_thumbnail");
    CHECK(rig.field_queries() == 1);
    CHECK(rig.downloads() == 2);
    REQUIRE(end.data["thumb_path"].is_string());
    const fs::path path(end.data["thumb_path"].get<std::string>());
    CHECK(path.parent_path() == rig.entry("", old).parent_path());
    CHECK(path.stem() == rig.entry("", old).filename());
    CHECK(bytes_of(path) == "new picture");
    CHECK(rig.thumbnail().type == "check_thumbnail");
}

TEST_CASE("T165: an expired url of an entity that has no thumbnail any more is no failure") {
    Thumbs rig;
    rig.answer_file(Fault::status(403));
    if (GENERATE(true, false))
        rig.version = 9999;
    else
        rig.version = rig.studio.add_version("without");
    const auto end = rig.thumbnail();
    INFO(end.message);
    CHECK(end.type == "download_thumbnail");
    CHECK(end.data == no_thumbnail);
    CHECK(rig.field_queries() == 1);
}

TEST_CASE("T166: when the fresh url fails, too, the request fails with that cause") {
    Thumbs rig;
    rig.answer_file(Fault::status(403));
    rig.answer_file(Fault::status(500));
    const auto end = rig.thumbnail();
    CHECK(end.kind == 'f');
    CHECK(end.message.find("500") != std::string::npos);
    CHECK(rig.field_queries() == 1);
    CHECK(rig.heard->kinds() == "f");
}

TEST_CASE("T167: what is no refusal of the url fails at once") {
    Thumbs rig;
    SECTION("status 500") { rig.answer_file(Fault::status(500)); }
    SECTION("cut reply") { rig.studio.site.inject(Fault::cut_in_body().at(2).on("storage_get")); }
    SECTION("refused connection") { rig.studio.site.refuse_connections(); }
    const auto end = rig.thumbnail();
    CHECK(end.kind == 'f');
    CHECK(rig.heard->kinds() == "f");
    CHECK(rig.field_queries() == 0);
    CHECK_FALSE(fs::exists(rig.entry("").parent_path() / rig.entry(".bin").filename()));
    CHECK(rig.cache.downloads().count() == 0);
}

TEST_CASE("T168: a deep field is asked for on the entity that was given") {
    Thumbs rig;
    const auto sequence = rig.studio.site.add(
        "Sequence", {{"code", "sq010"}, {"project", link("Project", rig.studio.project)}});
    rig.studio.upload("Sequence", sequence, "image", "sq.png", "sequence");
    const auto shot = rig.studio.site.add("Shot", {{"code", "sh020"},
                                                   {"project", link("Project", rig.studio.project)},
                                                   {"sg_sequence", link("Sequence", sequence)}});
    rig.answer_file(Fault::status(403));
    const auto request = rig.data->request_thumbnail(rig.url, "Shot", shot, "sg_sequence.Sequence.image");
    const auto end = rig.end_of(request);
    INFO(end.message);
    REQUIRE(end.data["thumb_path"].is_string());
    CHECK(bytes_of(end.data["thumb_path"].get<std::string>()) == "sequence");
    const auto all = rig.studio.counts->all_arguments();
    CHECK(std::count(all.begin(), all.end(),
                     json::array({json::array({"Shot", json::array({json::array({"id", "is", shot})}),
                                               json::array({"sg_sequence.Sequence.image"})}),
                                  json::object()})) == 1);
}

TEST_CASE("T169: a source thumbnail that is not there is none, and another error is a failure") {
    Thumbs rig;
    const auto without = rig.studio.add_version("without");
    CHECK(rig.end_of(rig.data->request_thumbnail_source("Version", without)).data == no_thumbnail);
    rig.answer_file(Fault::status(500));
    CHECK(rig.end_of(rig.data->request_thumbnail_source("Version", rig.version)).kind == 'f');
    const auto request = rig.data->request_thumbnail_source("Version", rig.version);
    const auto end = rig.end_of(request);
    CHECK(end.type == "download_thumbnail");
    REQUIRE(end.data["thumb_path"].is_string());
    CHECK(bytes_of(end.data["thumb_path"].get<std::string>()) == "picture");
}
