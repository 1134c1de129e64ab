// Files as a plugin sends and fetches them.

#include "catch.hpp"
#include "file_studio.hpp"
#include "plugin_site.hpp"
#include "sg/site_as.hpp"

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

struct Plugin : FileStudio {
    explicit Plugin(bool direct = true) : FileStudio(direct), files(*client, script()) {
        version_link = {"Version", version, {}};
    }
    json one(const EntityRef& entity, const char* field) {
        return files.find_one(entity.type, {"id", "is", entity.id}, {field})[field];
    }
    EntityRef another() {
        return {
            "Version", site.add("Version", {{"code", "other"}, {"project", link("Project", project)}}), {}};
    }

    PluginSite files;
    EntityRef version_link;
};

Cause cause_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.cause();
    }
    return Cause::internal;
}

}  // namespace

TEST_CASE("a plugin sends a file into a field, and what the field then holds leads to the same bytes") {
    Plugin plugin(GENERATE(true, false));
    const auto bytes = noise(200'000);
    write_file(plugin.dir / "take.mov", bytes);
    const auto id = plugin.files.upload(plugin.version_link, plugin.dir / "take.mov", "sg_uploaded_movie",
                                        {"Take 2", {"dailies"}});
    const auto movie = plugin.one(plugin.version_link, "sg_uploaded_movie");
    CHECK(movie["id"] == id);
    CHECK(movie["name"] == "Take 2");
    for (const auto& attachment : {json(id), movie, json{{"type", "Attachment"}, {"id", id}}}) {
        const auto to = plugin.dir / "fetched.mov";
        const auto done = plugin.files.download_attachment(attachment, to);
        REQUIRE(done);
        CHECK(done->bytes == bytes.size());
        CHECK(read_file(to) == bytes);
        std::filesystem::remove(to);
    }
}

TEST_CASE("a plugin hears how a file gets on, both ways and in somebody's name") {
    Plugin plugin(GENERATE(true, false));
    plugin.site.add("HumanUser", {{"name", "Rhea"}, {"login", "rhea"}});
    SiteAs rhea(plugin.files, "rhea");
    write_file(plugin.dir / "take.mov", noise(200'000));
    std::vector<std::uint64_t> sent, fetched;
    const auto id = rhea.upload(plugin.version_link, plugin.dir / "take.mov", "sg_uploaded_movie",
                                {.progress = [&](auto done, auto total) {
                                    CHECK(total == 200'000U);
                                    sent.push_back(done);
                                }});
    REQUIRE_FALSE(sent.empty());
    CHECK(sent.back() == 200'000);
    CHECK(std::is_sorted(sent.begin(), sent.end()));
    plugin.files.download_attachment(id, plugin.dir / "back.mov",
                                     {.progress = [&](auto done, auto) { fetched.push_back(done); }});
    REQUIRE_FALSE(fetched.empty());
    CHECK(fetched.back() == 200'000);
}

TEST_CASE("pictures of a new entity, or of one that changes, are sent by path") {
    Plugin plugin;
    write_file(plugin.dir / "take.jpg", noise(3'000));
    const auto picture = (plugin.dir / "take.jpg").string();
    const auto project = json{{"type", "Project"}, {"id", plugin.project}};
    const auto made = plugin.files.create(
        "Version",
        {{"code", "take3"}, {"project", project}, {"image", picture}, {"filmstrip_image", picture}});
    REQUIRE(made["image"].is_string());
    CHECK(made["code"] == "take3");
    CHECK(made.contains("filmstrip_image"));
    REQUIRE(plugin.files.download_attachment(made["image"], plugin.dir / "thumbnail"));
    CHECK(read_file(plugin.dir / "thumbnail") == noise(3'000));
    const auto none =
        plugin.files.create("Version", {{"code", "v"}, {"project", project}, {"image", nullptr}});
    CHECK_FALSE(none.contains("image"));

    auto changed = plugin.files.update(plugin.version_link, {{"image", picture}});
    CHECK(changed["id"] == plugin.version);
    CHECK(changed["image"].is_string());
    changed = plugin.files.update(plugin.version_link, {{"image", nullptr}, {"code", "bare"}});
    CHECK(changed["code"] == "bare");
    CHECK(plugin.one(plugin.version_link, "image").is_null());

    // What cannot be sent is told after the entity was made.
    const auto with = [&](const json& image) {
        return cause_of([&] {
            plugin.files.create("Version", {{"code", "late"}, {"project", project}, {"image", image}});
        });
    };
    CHECK(with(7) == Cause::invalid);
    CHECK(plugin.files.find_one("Version", {"code", "is", "late"}).is_null());
    CHECK(with((plugin.dir / "absent").string()) == Cause::invalid);
    CHECK(plugin.files.find_one("Version", {"code", "is", "late"}).is_object());
}

TEST_CASE("a plugin attaches a file where it names no field, in its own name or a person's") {
    Plugin plugin;
    plugin.site.add("HumanUser", {{"name", "Rhea"}, {"login", "rhea"}});
    write_file(plugin.dir / "notes.txt", "hold this");
    SiteAs rhea(plugin.files, "rhea");
    const auto own = plugin.files.upload(plugin.version_link, plugin.dir / "notes.txt");
    const auto hers = rhea.upload(plugin.version_link, plugin.dir / "notes.txt");
    const auto author = [&](EntityId id) {
        return plugin.one({"Attachment", id, {}}, "created_by").value("type", "");
    };
    CHECK(author(own) == "ApiUser");
    CHECK(author(hers) == "HumanUser");
}

TEST_CASE("a plugin's thumbnails go to one entity, to several, and from one to others") {
    Plugin plugin;
    const auto second = plugin.another(), third = plugin.another();
    write_file(plugin.dir / "take.jpg", noise(3'000));
    CHECK(plugin.files.upload_thumbnail(plugin.version_link, plugin.dir / "take.jpg") > 0);
    CHECK(plugin.files.upload_filmstrip_thumbnail(plugin.version_link, plugin.dir / "take.jpg") > 0);
    CHECK(plugin.files.share_thumbnail({second}, plugin.version_link));
    CHECK(plugin.one(second, "image").is_string());
    CHECK_FALSE(plugin.files.share_thumbnail({second}, third));  // has none
    CHECK(plugin.one(second, "image").is_null());
    CHECK(plugin.files.share_thumbnail({second, third}, plugin.dir / "take.jpg") > 0);
    for (const auto& each : {second, third}) {
        const auto url = plugin.one(each, "image");
        REQUIRE(plugin.files.download_attachment(url, plugin.dir / "thumbnail"));
        CHECK(read_file(plugin.dir / "thumbnail") == noise(3'000));
    }
}

TEST_CASE("nothing to download is nullopt for a plugin, and makes no file") {
    Plugin plugin;
    CHECK_FALSE(plugin.files.download_attachment(nullptr, plugin.dir / "none"));
    CHECK_FALSE(std::filesystem::exists(plugin.dir / "none"));
}

TEST_CASE("a plugin's relative path begins where the plugin is, and what leads nowhere is refused") {
    Plugin plugin;
    write_file(plugin.dir / "take.mov", "frames");
    const auto relative = std::filesystem::relative(plugin.dir / "take.mov");
    CHECK(plugin.files.upload(plugin.version_link, relative) > 0);
    const auto upload = [&](const std::filesystem::path& file) {
        return cause_of([&] { plugin.files.upload(plugin.version_link, file); });
    };
    CHECK(upload("") == Cause::invalid);
    CHECK(upload(plugin.dir / "absent") == Cause::invalid);
    CHECK(upload("/dev/zero") == Cause::invalid);
    CHECK(cause_of([&] { plugin.files.share_thumbnail({}, plugin.dir / "take.mov"); }) == Cause::invalid);
    CHECK(cause_of([&] { plugin.files.download_attachment(4711, plugin.dir / "x"); }) == Cause::bad_request);
    CHECK(names_in(plugin.dir.path()) == std::vector<std::string>{"take.mov"});
}
