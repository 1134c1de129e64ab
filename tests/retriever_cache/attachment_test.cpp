// Attachments: each in a folder of its own.

#include "retriever_cache/fixture.hpp"

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

json attachment(int id, json name) {
    return {{"type", "Attachment"},
            {"id", id},
            {"this_file",
             {{"url", "https://demo.example.com/file_serve/attachment/" + std::to_string(id)},
              {"name", std::move(name)},
              {"link_type", "upload"}}}};
}

}  // namespace

TEST_CASE("T174 an attachment lies in a folder of its own under its own name") {
    CacheRig rig;
    Source source({"bytes", "https://storage/whatever.bin"});
    const auto file = rig.root / "attachments/30/9d/41180a33b0478509793f29ded7ea/test.png";
    CHECK(rig.cache->find_attachment(attachment(597, "test.png")).value() == std::nullopt);
    CHECK(rig.request_attachment(attachment(597, "test.png"), source) == file);
    CHECK(rig.request_attachment(attachment(597, "test.png"), source) == file);
    CHECK(source.asked == 1);
    CHECK(content(file) == "bytes");
    CHECK(mode_of(file) == 0666);
    CHECK(mode_of(file.parent_path()) == 0777);
}

TEST_CASE("T175 two attachments of one name are two files") {
    CacheRig rig;
    Source first({"first", "/a.png"}), second({"second", "/a.png"});
    const auto a = rig.request_attachment(attachment(217, "a.png"), first);
    const auto b = rig.request_attachment(attachment(239, "a.png"), second);
    REQUIRE(a);
    REQUIRE(b);
    CHECK(content(*a) == "first");
    CHECK(content(*b) == "second");
    CHECK(rig.cache->find_attachment(attachment(217, "a.png")).value() == *a);
}

TEST_CASE("T176 an attachment of whatever name stays in its folder and is found again") {
    for (const json& name :
         {json("../../evil"), json("/abs"), json("a\\b"), json("."), json(".."), json(""), json(nullptr),
          json("CON.png"), json(std::string(300, 'x')), json(std::string(300, 'x') + ".png"), json("a\nb")}) {
        INFO(name.dump());
        CacheRig rig;
        Source source({"bytes", "/x"});
        const auto stored = rig.request_attachment(attachment(597, name), source);
        REQUIRE(stored);
        CHECK(stored->parent_path() == rig.root / "attachments/30/9d/41180a33b0478509793f29ded7ea");
        CHECK(stored->lexically_normal() == *stored);
        CHECK(rig.request_attachment(attachment(597, name), source) == *stored);
        CHECK(source.asked == 1);
        CHECK(rig.files().size() == 1);
    }
}

TEST_CASE("T177 an attachment without an id is found by its url, one without a url by its id") {
    CacheRig rig;
    Source source({"bytes", "/x"});
    auto no_id = attachment(597, "test.png");
    no_id.erase("id");
    json no_url = {{"id", 597}, {"this_file", {{"url", nullptr}, {"name", "test.png"}}}};
    const auto file = rig.root / "attachments/30/9d/41180a33b0478509793f29ded7ea/test.png";
    CHECK(rig.request_attachment(no_id, source) == file);
    CHECK(rig.request_attachment(no_url, source) == file);
    CHECK(source.asked == 1);
    CHECK(rig.request_attachment({{"id", 597}}, source) == file.parent_path() / "attachment");
}

TEST_CASE("T178 a local attachment that is there is its own entry, and the cache is left alone") {
    CacheRig rig;
    const auto there = rig.dir / "there.exr";
    write_file(there, "x");
    const auto before = used_at(there);
    auto local = attachment(597, "there.exr");
    local["this_file"]["link_type"] = "local";
    local["this_file"]["local_path"] = there.string();
    CHECK(rig.cache->find_attachment(local).value() == there);
    CHECK(used_at(there) == before);
    CHECK_FALSE(fs::exists(rig.root));
    local["this_file"]["local_path"] = (rig.dir / "gone.exr").string();
    CHECK(rig.cache->find_attachment(local).value() == std::nullopt);
    local["this_file"]["local_path"] = there.string();
    local["this_file"]["link_type"] = "upload";
    CHECK(rig.cache->find_attachment(local).value() == std::nullopt);
}

TEST_CASE("T115 what is no record of an attachment is refused") {
    CacheRig rig;
    Source source({"bytes", "/x"});
    for (const json& bad :
         {json::object(), json(nullptr), json("x"), json::array(), json{{"this_file", 7}},
          json{{"id", 5}, {"this_file", 7}}, json{{"id", 0}}, json{{"id", -3}}, json{{"id", "5"}},
          json{{"id", 18446744073709551615ULL}}, json{{"this_file", {{"url", "https://h"}}}},
          json{{"this_file", {{"url", 5}}}}, json{{"id", 5}, {"this_file", {{"name", 5}}}}}) {
        INFO(bad.dump());
        const auto found = rig.cache->find_attachment(bad);
        REQUIRE_FALSE(found);
        CHECK(found.error().cause == Cause::invalid);
        const auto stored = rig.cache->store_attachment(bad, source);
        REQUIRE_FALSE(stored);
        CHECK(stored.error().cause == Cause::invalid);
    }
    CHECK(source.asked == 0);
    CHECK_FALSE(fs::exists(rig.root));
}
