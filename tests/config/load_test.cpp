// What the loader accepts, and what it says about the rest.

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "config/keys.hpp"
#include "fixture.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::ConfigFile;

TEST_CASE("the least configuration gives every default") {
    ConfigFile file;
    const auto loaded = file.load(ConfigFile::least);
    REQUIRE(loaded);
    CHECK(loaded->config.site.url == "https://studio.example.com");
    CHECK(loaded->config.site.poll_interval == 500ms);
    CHECK(loaded->config.collections == std::vector{file.directory() / "plugins"});
    CHECK(loaded->config.of("unheard_of").hard_deadline == 10min);
    CHECK(loaded->warnings.empty());
}

TEST_CASE("values of every type arrive as they were written") {
    ConfigFile file;
    const auto loaded = file.load(std::string(ConfigFile::least) + R"(
plugins:
  review:
    nice: 7
    credential: other
    args: {channel: "5", depth: 5, ratio: 0.5, on: true, nothing: ~, list: [a, 1]}
plugin_defaults:
  isolation: thread
  start: 9007199254740993
  hard_deadline: none
  memory_limit: 512MB
  log_level: debug
state_dir: state
drain_time: 0s
)");
    if (!loaded) FAIL(loaded.error().front().to_string());
    const auto& review = loaded->config.of("review");
    CHECK(review.nice == 7);
    CHECK(review.credential == "other");
    CHECK(review.isolation == config::Isolation::thread);  // inherited, though it stands further down
    CHECK(review.start.id == 9007199254740993);
    CHECK_FALSE(review.hard_deadline);
    CHECK(review.memory_limit->count == 512'000'000);
    CHECK(review.log_level == LogLevel::debug);
    CHECK(review.args.json ==
          R"({"channel":"5","depth":5,"list":["a",1],"nothing":null,"on":true,"ratio":0.5})");
    CHECK(loaded->config.state_dir == file.directory() / "state");
    CHECK(loaded->config.drain_time == 0ms);
}

TEST_CASE("C124 five mistakes are reported together, each where it stands") {
    ConfigFile file;
    const auto said = file.problems(R"(site:
  url: https://studio.example.com
  credential: deamon
  poll_intervall: 1s
  page_size: lots
credentials:
  daemon:
    script: sgeventd
    key: k
    key: again
collections: plugins
)");
    CHECK(said ==
          "c.yaml:3:3: site.credential: expected the name of a credential; did you mean daemon?\n"
          "c.yaml:4:3: site.poll_intervall: unknown key; did you mean poll_interval?\n"
          "c.yaml:5:14: site.page_size: expected a whole number, from 1 to 500\n"
          "c.yaml:10:5: credentials.daemon.key: is given twice\n"
          "c.yaml:11:14: collections: expected a list of directories, such as [/opt/studio/plugins]\n");
}

TEST_CASE("C98 no setting brings requests closer together than the floor") {
    ConfigFile file;
    const auto said = [&](const std::string& key, const std::string& value) {
        std::string text = ConfigFile::least;
        text.insert(text.find("credentials:"), "  " + key + ": " + value + "\n");
        return file.problems(text);
    };
    for (const auto* value : {"0s", "-1s", "0", "-1", "49ms", "1", "fast", "99999999999999999999s"})
        CHECK(
            said("poll_interval", value) ==
            "c.yaml:4:18: site.poll_interval: expected a duration such as 500ms, 5s, 10min or 2h, from 50ms "
            "to 1h\n");
    for (const auto* value : {"0", "-1", "100000", "501", "1e2", "0x10"})
        CHECK(said("page_size", value) ==
              "c.yaml:4:14: site.page_size: expected a whole number, from 1 to 500\n");
    CHECK(said("retry_first", "0ms").find("site.retry_first: expected") != std::string::npos);
    CHECK(said("retry_longest", "99ms").find("site.retry_longest: expected") != std::string::npos);
    CHECK(said("retry_longest", "200ms").find("expected at most site.retry_longest, which is 200ms") !=
          std::string::npos);
    CHECK(said("poll_interval", "50ms").empty());
}

TEST_CASE("who needs no secret needs no key file and no variable of one") {
    ConfigFile file;
    const auto path = file.write(R"(
site: {url: "https://studio.example.com", credential: daemon}
credentials:
  daemon: {script: relay, key_file: "${CREDENTIALS_DIRECTORY}/site-key"}
  other: {script: other, key: "${OTHER_KEY}"}
collections: [plugins]
state_dir: /var/lib/sgeventd
)");
    const auto nothing_set = [](const std::string&) { return std::optional<std::string>(); };
    const auto strict = config::load(path, nothing_set);
    REQUIRE_FALSE(strict);
    CHECK(strict.error().size() == 2);
    const auto loaded = config::load(path, nothing_set, config::Secrets::leave);
    REQUIRE(loaded);
    CHECK(loaded->config.state_dir == "/var/lib/sgeventd");
    CHECK(loaded->config.credentials.at("daemon").key.value == "***");
    CHECK(loaded->config.credentials.at("other").key.value == "***");
}

TEST_CASE("what is not one document of keys in UTF-8 is refused by name") {
    ConfigFile file;
    const std::string least = ConfigFile::least;
    CHECK(file.problems("") == "c.yaml: is empty: at least site, credentials and collections are needed\n");
    CHECK(file.problems("# nothing\n") ==
          "c.yaml: is empty: at least site, credentials and collections are needed\n");
    CHECK(file.problems(least + "---\nx: 1\n").find("expected one document") != std::string::npos);
    CHECK(file.problems("- a\n- b\n") == "c.yaml:1:1: expected keys with values\n");
    CHECK(file.problems(least + "x: \xff\n") == "c.yaml:12:1: expected UTF-8 text\n");
    CHECK(file.problems("site: [1\n").find("c.yaml:2:1: not YAML") == 0);
    CHECK(file.problems(std::string(20000, '[')).find("not YAML") != std::string::npos);
    CHECK(file.problems(least + "log: &l {level: info}\nplugins:\n  a:\n    <<: *l\n")
              .find("c.yaml:15:5: plugins.a.<<: merging") == 0);
    CHECK(file.problems(least + "state_dir: 'somewhere\n").find("is a quote missing?") != std::string::npos);
    CHECK(file.problems(least + "state_dir: 'somewhere").find("not YAML") != std::string::npos);
    CHECK(file.problems(least + "state_dir:\n") ==
          "c.yaml:12:1: state_dir: expected a value: remove the line for the default\n");
}

TEST_CASE("a comma that stands alone is refused where it stands, and not read for ever") {
    ConfigFile file;
    CHECK(file.problems(",").find("c.yaml:1:1: expected one document") == 0);
    CHECK(file.problems("site:\n  url: x\n, \n").find("c.yaml:3:1: ") != std::string::npos);
    CHECK(file.problems("---\n---\n").find("expected one document") != std::string::npos);
    for (const char* text : {"a: ,", "[,]", "{,}", "- ,", "? ,", ", ,", "a:\n  ,\nb: c"}) {
        INFO(text);
        CHECK_FALSE(file.problems(text).empty());
    }
}

TEST_CASE("a directory, a missing file and a pipe are refused and not waited for") {
    ConfigFile file;
    const auto said = [](const std::filesystem::path& path) {
        const auto loaded = config::load(path);
        return loaded ? std::string("loaded") : loaded.error().front().text;
    };
    CHECK(said(file.directory()) == "cannot be read: is a directory");
    CHECK(said(file.directory() / "absent") == "cannot be read: No such file or directory");
    CHECK(said("/dev/zero") == "cannot be read: is not a regular file");
}

TEST_CASE("a document that stands for an endless one is refused") {
    ConfigFile file;
    std::string bomb =
        std::string(ConfigFile::least) + "plugins:\n  p:\n    args:\n      a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        bomb += std::string("      ") + c + ": &" + c + " [";
        for (int i = 0; i < 9; ++i) bomb += std::string(i == 0 ? "*" : ",*") + static_cast<char>(c - 1);
        bomb += "]\n";
    }
    CHECK(file.problems(bomb).find("plugins.p.args: expected at most") != std::string::npos);
}

TEST_CASE("every required key is asked for by name") {
    ConfigFile file;
    const auto said = file.problems("credentials:\n  a:\n    key: x\nsite: {}\n");
    CHECK(said.find("c.yaml:4:1: site.url: is required") != std::string::npos);
    CHECK(said.find("c.yaml:4:1: site.credential: is required") != std::string::npos);
    CHECK(said.find("c.yaml:3:5: credentials.a.key: goes with script, which is missing") !=
          std::string::npos);
    CHECK(said.find("c.yaml: collections: is required") != std::string::npos);
}

TEST_CASE("a site address that is none is refused") {
    ConfigFile file;
    const auto said = [&](const std::string& url) {
        std::string text = ConfigFile::least;
        text.replace(text.find("https://studio.example.com"), 26, url);
        return file.problems(text);
    };
    CHECK(said("studio.example.com").find("expected an address such as") != std::string::npos);
    CHECK(said("ftp://studio.example.com").find("begins with https://") != std::string::npos);
    CHECK(said("https://me:pw@studio.example.com").find("credentials have a section of their own") !=
          std::string::npos);
    CHECK(said("https://me:pw@studio.example.com").find("pw") == std::string::npos);
    CHECK(said("http://127.0.0.1:8080/").empty());
}

TEST_CASE("plugins that would write in the daemon's name are warned about") {
    ConfigFile file;
    std::string text = ConfigFile::least;
    text.insert(text.find("credentials:"), "  default_plugin_credential: daemon\n");
    const auto loaded = file.load(text);
    REQUIRE(loaded);
    REQUIRE(loaded->warnings.size() == 1);
    CHECK(loaded->warnings.front().key == "site.default_plugin_credential");
    CHECK(loaded->warnings.front().line == 4);
}

TEST_CASE("traits of events, further fields and ordered collections are read, or refused by name") {
    ConfigFile file;
    const std::string least = ConfigFile::least;
    const auto loaded = file.load(least + R"(
plugin_defaults:
  never: {own: true}
plugins:
  notice:
    only: {projects: [65, 0], new_values: [rev, "5", 5]}
    strict_order: true
)");
    if (!loaded) FAIL(loaded.error().front().to_string());
    const auto& notice = loaded->config.of("notice");
    CHECK(notice.only.projects == std::vector<EntityId>{65, 0});
    CHECK(notice.only.new_values == std::vector<nlohmann::json>{"rev", "5", 5});
    CHECK(notice.never.own == true);
    CHECK(notice.strict_order);
    CHECK_FALSE(loaded->config.of("other").strict_order);

    const auto problems = file.problems(least + R"(
ordered_collections: [elsewhere]
plugins:
  a: {only: {project: [65]}}
  b: {never: {users: [Ada]}}
)");
    CHECK(problems.find("ordered_collections: expected only directories of collections") !=
          std::string::npos);
    CHECK(problems.find("plugins.a.only: an event cannot be chosen by 'project'") != std::string::npos);
    CHECK(problems.find("plugins.b.never: 'users' is a list of a type and an id each") != std::string::npos);
}
