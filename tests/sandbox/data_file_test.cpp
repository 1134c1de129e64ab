// The state in a file.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>
#include <iostream>
#include <random>

#include "catch.hpp"
#include "form_client.hpp"
#include "sandbox/production.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"
#include "whole_site.hpp"

namespace data_file_test {

using namespace sg;
using namespace sg::test;

namespace {

sandbox::Site::Options in(const std::filesystem::path& file) {
    sandbox::Site::Options options;
    options.data_file = file;
    return options;
}

}  // namespace

TEST_CASE("a site that is opened again with its data file is the same site") {
    TempDir dir;
    std::string before;
    sandbox::Id next = 0;
    {
        sandbox::Site site(in(dir / "site.db"));
        site.add_script("plugins", "another key", false);
        sandbox::Production production(site, {.seed = 3});
        for (int i = 0; i < 150; ++i) production.step();
        const auto person = site.add_person("Zoe", "zoe", "secret");
        const auto shot = site.value("Task", 1, "entity");
        const sandbox::Caller zoe{.user = {"HumanUser", person}, .session_uuid = "5a1d49b0"};
        REQUIRE(site.remove(zoe, "Shot", shot["id"].get<sandbox::Id>()));
        site.add_event(
            {.entity = {{"type", "Ghost"}, {"id", 9}, {"name", "\xc3\xa9 \"x\""}}, .dated = false});
        site.hide(site.add_event({}));
        site.skip_event_ids(10);
        next = site.newest_id();
        before = whole_site(site.url());
    }
    sandbox::Site site(in(dir / "site.db"));
    CHECK(whole_site(site.url()) == before);
    CHECK(site.newest_id() == next);
    CHECK(site.show(next + 1));
    CHECK(site.newest_id() == next + 1);
    CHECK(site.add_event({}) == next + 12);
    RawClient client(site.url());
    const Json read{{"type", "Shot"}};
    CHECK(client.call("read", read, {{"script_name", "plugins"}, {"script_key", "another key"}})
              .json()
              .contains("results"));
    CHECK(client.call("read", read, {{"user_login", "zoe"}, {"user_password", "secret"}})
              .json()
              .contains("results"));
    CHECK(client.call("read", read, {{"script_name", "plugins"}, {"script_key", "sandbox-key"}})
              .json()["error_code"] == 102);
}

TEST_CASE("what was written is in the data file soon, and a new row gets an id of its own afterwards") {
    TempDir dir;
    sandbox::Id shot = 0;
    {
        sandbox::Site site(in(dir / "site.db"));
        const auto project = site.add("Project", {{"name", "P"}});
        shot = site.add("Shot", {{"code", "a"}, {"project", {{"type", "Project"}, {"id", project}}}});
        CHECK(site.flush());
    }
    sandbox::Site site(in(dir / "site.db"));
    CHECK(site.value("Shot", shot, "code") == "a");
    CHECK(site.add("Shot", {{"code", "b"}, {"project", {{"type", "Project"}, {"id", 1}}}}) == shot + 1);
    REQUIRE(site.files_directory());
    CHECK(*site.files_directory() == dir / "site.db.files");
    CHECK(!sandbox::Site().files_directory());
}

TEST_CASE("what was edited in the schema is there again, and so are the values of the new fields") {
    TempDir dir;
    sandbox::Id project = 0;
    {
        sandbox::Site site(in(dir / "site.db"));
        project = site.add("Project", {{"name", "P"}});
        RawClient client(site.url());
        REQUIRE(client.results("schema_field_create",
                               {{"type", "Shot"},
                                {"data_type", "text"},
                                {"properties", {{{"property_name", "name"}, {"value", "Weather"}}}}}) ==
                "sg_weather");
        REQUIRE(client.results("schema_field_delete", {{"type", "Shot"}, {"field_name", "sg_bid"}}) == true);
        site.add("Shot",
                 {{"code", "a"}, {"project", sandbox::link_to("Project", project)}, {"sg_weather", "fog"}});
    }
    sandbox::Site site(in(dir / "site.db"));
    RawClient client(site.url());
    const auto rows = client.rows("Shot", {condition("sg_weather", "is", "fog")}, {"sg_weather", "sg_bid"});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["sg_weather"] == "fog");
    CHECK_FALSE(rows[0].contains("sg_bid"));
    CHECK(client.results("schema_field_delete", {{"type", "Shot"}, {"field_name", "sg_bid"}})["exception"] ==
          true);
}

TEST_CASE("what a site keeps beside its rows is there again, and so are the bytes of its files") {
    TempDir dir;
    const std::string bytes = std::string("frames\0of a movie", 17), thumbnail(3'000'000, 't');
    const Json schedule{{"start_date", "2026-12-24"}, {"end_date", "2026-12-26"}};
    const Json zoe_login{{"user_login", "zoe"}, {"user_password", "secret"}};
    sandbox::Id zoe = 0, shot = 0;
    std::string token, hook, movie, version = "entity_type=Version&entity_id=";
    Json days, subscriptions;
    {
        sandbox::Site site(in(dir / "site.db"));
        zoe = site.add_person("Zoe", "zoe", "secret");
        const auto project = site.add("Project", {{"name", "P"}});
        shot = site.add("Shot", {{"code", "a"}, {"project", sandbox::link_to("Project", project)}});
        version += std::to_string(
            site.add("Version", {{"code", "v"}, {"project", sandbox::link_to("Project", project)}}));
        site.add_script("reader", "its key");
        site.set_permissions("reader", {.writes = false});
        RawClient client(site.url());
        FormHttp forms(site.url());
        token = client.call("get_session_token", Json::object(), zoe_login)
                    .json()["results"]["session_id"]
                    .get<std::string>();
        client.results("follow", {{"user", sandbox::link_to("HumanUser", zoe)},
                                  {"entity", sandbox::link_to("Shot", shot)}});
        client.results("work_schedule_update",
                       {{"date", "2026-12-24"}, {"working", false}, {"description", "x"}});
        client.results("user_subscriptions_create",
                       {{"users", {{{"humanUserId", zoe}, {"subscription", "c"}}}}});
        days = client.results("work_schedule_read", schedule);
        subscriptions = client.results("user_subscriptions_read", Json::object());
        CHECK(days["2026-12-24"]["working"] == false);
        hook = site.add_webhook(
            {.url = "http://127.0.0.1:1/", .token = "t", .entity_types = {"Shot"}, .attempts = 3});
        site.remove_webhook(site.add_webhook({.url = "http://127.0.0.1:2/"}));
        site.enable_webhook(hook, false);
        movie = forms.stored(bytes, version, "sg_uploaded_movie");
        forms.stored(thumbnail, version, "image");
        site.require_code("zoe", "492817");
        CHECK(client.call("read", {{"type", "Shot"}}, zoe_login).json()["error_code"] == 106);
    }
    sandbox::Site site(in(dir / "site.db"));
    RawClient client(site.url());
    CHECK(client.call("read", {{"type", "Shot"}}, {{"session_token", token}}).json().contains("results"));
    CHECK(client.call("read", {{"type", "Shot"}}, zoe_login).json()["error_code"] == 106);
    const Json reader{{"script_name", "reader"}, {"script_key", "its key"}};
    CHECK(client.call("delete", {{"type", "Shot"}, {"id", shot}}, reader).json()["error_code"] == 104);
    const auto followers = client.results("followers", {{"entity", sandbox::link_to("Shot", shot)}});
    REQUIRE(followers.size() == 1);
    CHECK(followers[0]["id"] == zoe);
    CHECK(client.results("work_schedule_read", schedule) == days);
    CHECK(client.results("user_subscriptions_read", Json::object()) == subscriptions);
    REQUIRE(site.webhooks().size() == 1);
    CHECK(site.webhooks()[0].id == hook);
    CHECK(site.webhooks()[0].url == "http://127.0.0.1:1/");
    CHECK(site.webhooks()[0].status == sandbox::WebhookStatus::disabled);
    CHECK(site.add_webhook({.url = "http://127.0.0.1:3/"}) != hook);
    FormHttp forms(site.url());
    CHECK(forms.attachment(movie) == bytes);
    const auto image = client.rows("Version", {}, {"image"})[0]["image"].get<std::string>();
    CHECK(forms.attachment(image.substr(image.rfind('/') + 1)) == thumbnail);
    CHECK(std::stoll(forms.stored("more", version, "sg_uploaded_movie")) > std::stoll(movie));
}

TEST_CASE("a data file of the first version is taken over") {
    TempDir dir;
    {
        sandbox::Site site(in(dir / "site.db"));
        site.add("Project", {{"name", "P"}});
    }
    const auto sql = [&](const char* what) { sandbox::SqlFile(dir / "site.db").execute(what); };
    sql("DROP TABLE file; DROP TABLE piece; DELETE FROM document; PRAGMA user_version=1");
    {
        sandbox::Site site(in(dir / "site.db"));
        CHECK(site.ids("Project").size() == 1);
    }
    sql("PRAGMA user_version=9");
    CHECK_THROWS_AS(sandbox::Site(in(dir / "site.db")), sandbox::DataFileError);
}

TEST_CASE("a batch that was refused half way leaves nothing in the data file") {
    TempDir dir;
    {
        sandbox::Site site(in(dir / "site.db"));
        const auto project = site.add("Project", {{"name", "P"}});
        RawClient client(site.url());
        const auto shot = [&](const Json& code) {
            return Json{{"request_type", "create"},
                        {"type", "Shot"},
                        {"fields",
                         {{{"field_name", "code"}, {"value", code}},
                          {{"field_name", "project"}, {"value", sandbox::link_to("Project", project)}}}}};
        };
        const auto answer =
            client.results("batch", Json::array({shot("a"), shot("b"), shot(Json::array({1}))}));
        REQUIRE(answer.is_object());
        REQUIRE(answer["exception"] == true);
        CHECK(site.flush());
    }
    sandbox::Site site(in(dir / "site.db"));
    CHECK(site.ids("Shot").empty());
    CHECK(site.event_count() == 0);
}

TEST_CASE("a data file is readable for its user alone") {
    TempDir dir;
    const auto before = ::umask(0);
    sandbox::Site site(in(dir / "site.db"));
    site.add_event({});
    CHECK(site.flush());
    ::umask(before);
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
        INFO(entry.path());
        CHECK((entry.status().permissions() & std::filesystem::perms(0777)) == std::filesystem::perms(0600));
    }
}

TEST_CASE("a data file that is open already, damaged, or somebody else's is refused and left as it is") {
    TempDir dir;
    const auto why = [&](const std::string& name) -> std::string {
        try {
            sandbox::Site site(in(dir / name));
        } catch (const sandbox::DataFileError& error) {
            return error.what();
        }
        return "";
    };
    {
        sandbox::Site first(in(dir / "site.db"));
        CHECK(why("site.db").find("locked") != std::string::npos);
    }
    CHECK(why("site.db").empty());
    std::ofstream(dir / "text.db") << std::string(5000, 'x');
    CHECK(why("text.db").find("not a database") != std::string::npos);
    CHECK(std::filesystem::file_size(dir / "text.db") == 5000);
    {
        sandbox::Site site(in(dir / "cut.db"));
        site.add_events(2000, "Shotgun_Shot_Change");
    }
    std::filesystem::resize_file(dir / "cut.db", std::filesystem::file_size(dir / "cut.db") / 2);
    CHECK(why("cut.db").find("malformed") != std::string::npos);
    CHECK(why("no/such/place.db").find("No such file") != std::string::npos);
}

TEST_CASE("a site killed at any moment leaves a file that opens, with no change without its event rows") {
    TempDir dir;
    const auto file = dir / "site.db";
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    sandbox::Id survived = 0;
    // Six times, and on a slow machine longer and oftener until there is something to lose.
    for (unsigned round = 0; round < 6 || (survived == 0 && round < 60); ++round) {
        std::cout.flush();
        std::fflush(stdout);
        int progress[2];
        REQUIRE(::pipe(progress) == 0);
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                sandbox::Site site(in(file));
                const auto project = site.ids("Project").empty() ? site.add("Project", {{"name", "P"}}) : 1;
                const sandbox::Caller nobody;
                do
                    site.create(nobody, "Shot",
                                {{"code", "x"}, {"project", {{"type", "Project"}, {"id", project}}}});
                while (::write(progress[1], "x", 1) == 1);
            } catch (...) {
                ::_exit(1);
            }
        }
        ::close(progress[1]);
        // The moment is a number of writes; how many of them have reached the disk is the machine's to say.
        char one = 0;
        for (auto writes = (100 + random() % 1000) * (1 + round / 6); writes > 0; --writes)
            REQUIRE(::read(progress[0], &one, 1) == 1);
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        ::close(progress[0]);
        sandbox::Site site(in(file));
        RawClient client(site.url());
        const Json all{{"paging", {{"entities_per_page", 5000}, {"current_page", 1}}}};
        std::map<sandbox::Id, int> rows_of;
        for (sandbox::Id after = 0;;) {
            const auto page = client.rows("EventLogEntry", {condition("id", "greater_than", after)},
                                          {"event_type", "entity"}, {{"paging", all["paging"]}});
            for (const auto& row : page)
                if (row["entity"]["type"] == "Shot") ++rows_of[row["entity"]["id"].get<sandbox::Id>()];
            if (page.empty()) break;
            after = page.back()["id"].get<sandbox::Id>();
        }
        sandbox::Id shots = 0;
        while (!site.value("Shot", shots + 1, "code").is_null()) ++shots;
        CHECK(static_cast<sandbox::Id>(rows_of.size()) == shots);
        if (shots > 0) CHECK(rows_of[shots] == rows_of[1]);
        CHECK(shots >= survived);
        survived = shots;
    }
    CHECK(survived > 0);
}

}  // namespace data_file_test
