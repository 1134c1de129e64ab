// The old configuration, read by the real program.

#include <sys/stat.h>

#include <fstream>

#include "catch.hpp"
#include "legacy/python.hpp"

using namespace sg;
using test::Ended;
using test::has;

namespace {

/// All that the old daemon shipped with, filled in.
const char* const filled_in = R"(# shotgunEvents
[daemon]
pidFile: /var/log/shotgunEventDaemon.pid
eventIdFile: /var/log/shotgunEventDaemon.id
logMode: 1
logPath: /var/log/shotgunEventDaemon
logFile: shotgunEventDaemon
logging: 30
timing_log: on
conn_retry_sleep = 60
max_conn_retries = 5
fetch_interval = 5
max_event_batch_size = 1000

[shotgun]
server: https://studio.shotgrid.autodesk.com
name: event daemon
key: ab%%cd#e: 'f'
use_session_uuid: True

[plugins]
paths: /studio/plugins,
    /studio/more plugins,
fetch_intervall: 3

[emails]
enabled: True
server: smtp.studio.com
username: %(SG_ED_EMAIL_USERNAME)s
password: mail-password
from: daemon@studio.com
to: td@studio.com
subject: [SG]
)";

class Desk {
public:
    test::Ran run(std::vector<std::string> words, std::vector<std::string> environment = {}) {
        words.insert(words.begin(), SG_PROGRAM);
        return test::run_to_end(words, dir.path(), environment);
    }
    test::Ran import(const std::string& text, std::vector<std::string> more = {},
                     std::vector<std::string> environment = {}) {
        std::ofstream(dir / "old.conf") << text;
        more.insert(more.begin(),
                    {"import", "config", (dir / "old.conf").string(), "--output", made().string()});
        return run(std::move(more), std::move(environment));
    }
    std::filesystem::path made() const { return dir / "sgeventd.yaml"; }
    std::string yaml() const { return test::read_file(made()); }
    std::string effective(std::vector<std::string> environment = {}) {
        const auto ran = run({"check-config", "--show", "--config", made().string()}, std::move(environment));
        INFO(ran.err);
        REQUIRE(ran.ended == Ended{0, 0});
        return ran.out;
    }
    test::TempDir dir;
};

}  // namespace

TEST_CASE("C127 a filled-in configuration becomes one that check-config accepts, and the rest is reported") {
    Desk desk;
    const std::vector<std::string> environment{"SG_ED_EMAIL_USERNAME=mailer"};
    const auto ran = desk.import(filled_in, {}, environment);
    INFO(ran.out << ran.err << desk.yaml());
    REQUIRE(ran.ended == Ended{0, 0});

    const auto all = desk.effective(environment);
    INFO(all);
    CHECK(has(all, "url: https://studio.shotgrid.autodesk.com\n"));
    CHECK(has(all, "script: event daemon\n"));
    CHECK(has(all, "poll_interval: 5s\n"));
    CHECK(has(all, "retry_longest: 1min\n"));
    CHECK(has(all, "page_size: 500\n"));
    CHECK(has(all, "use_session_uuid: true\n"));
    CHECK(has(all, "- /studio/plugins\n"));
    CHECK(has(all, "- /studio/more plugins\n"));
    CHECK(has(all, "log_level: warning\n"));
    CHECK(has(all, "file: /var/log/shotgunEventDaemon/shotgunEventDaemon\n"));
    CHECK(has(all, "per_plugin: true\n"));
    CHECK(has(all, "timing: lines\n"));
    CHECK(has(all, "server: smtp.studio.com\n"));
    CHECK(has(all, "port: 25\n"));
    CHECK(has(all, "tls: starttls\n"));
    CHECK(has(all, "from: daemon@studio.com\n"));
    CHECK(has(all, "td@studio.com"));
    CHECK(has(all, "[SG]"));

    // Every key that is not the same now has a line, with where it stood.
    const auto line = [&](const std::string& text) { return (desk.dir / "old.conf").string() + text; };
    for (const auto* text :
         {":3: left out: daemon/pidfile", ":4: left out: daemon/eventidfile",
          ":10: changed: daemon/conn_retry_sleep", ":11: left out: daemon/max_conn_retries",
          ":13: changed: daemon/max_event_batch_size is 500", ":18: changed: shotgun/key",
          ":22: to do: plugins/paths", ":24: left out: plugins/fetch_intervall is not a key of shotgunEvents",
          ":29: to do: emails/username", ":30: changed: emails/password"})
        CHECK(has(ran.out, line(text)));

    CHECK(test::read_file(desk.dir / "site-key") == "ab%cd#e: 'f'\n");
    CHECK(test::read_file(desk.dir / "mail-password") == "mail-password\n");
    struct stat info {};
    REQUIRE(::stat((desk.dir / "site-key").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777U) == 0600U);
    for (const auto& text : {ran.out, ran.err, desk.yaml()}) {
        CHECK_FALSE(has(text, "cd#e"));
        CHECK_FALSE(has(text, "password: mail-password\n"));
    }

    const auto again = desk.import(filled_in);
    CHECK(again.ended == Ended{65, 0});
    CHECK(has(again.err, "nothing was written"));
}

TEST_CASE(
    "C127 what came from the environment is a reference, and what is missing is said as check-config does") {
    Desk desk;
    const std::string text =
        "[daemon]\nlogging: 20\n[shotgun]\nserver: %(SG_ED_SITE_URL)s\nname: %(SG_ED_SCRIPT_NAME)s\n"
        "key: %(SG_ED_API_KEY)s\nproxy_server: user:pass@proxy:3128\n[plugins]\npaths: "
        "/p\n[emails]\nenabled: no\n"
        "server: x\n";
    const std::vector<std::string> environment{"SG_ED_SITE_URL=https://a.example.com", "SG_ED_SCRIPT_NAME=s",
                                               "SG_ED_API_KEY=secret-key", "SGEVENTD_PROXY=u:secret@p:1"};
    SECTION("all is set") {
        const auto ran = desk.import(text, {}, environment);
        INFO(ran.out << ran.err << desk.yaml());
        CHECK(ran.ended == Ended{0, 0});
        CHECK(has(desk.yaml(), "${SG_ED_API_KEY}"));
        CHECK_FALSE(has(desk.yaml() + ran.out, "secret"));
        CHECK_FALSE(has(desk.yaml() + ran.out, "user:pass"));
        CHECK_FALSE(has(ran.out, "emails/"));
        CHECK(has(desk.effective(environment), "url: https://a.example.com\n"));
    }
    SECTION("something is not") {
        const auto ran = desk.import(text, {}, {environment[0], environment[1], environment[2]});
        CHECK(ran.ended == Ended{78, 0});
        CHECK(has(ran.err, "site.proxy: expected the environment variable SGEVENTD_PROXY to be set"));
        CHECK(has(ran.out, "to do: shotgun/proxy_server"));
        CHECK_FALSE(desk.yaml().empty());
    }
}

TEST_CASE("C127 keys are copied into the new configuration only if that is asked for") {
    Desk desk;
    const auto how = GENERATE(as<std::string>{}, "environment", "text");
    CAPTURE(how);
    const auto ran =
        desk.import(filled_in, {"--secrets", how},
                    {"SGEVENTD_KEY=x", "SGEVENTD_MAIL_PASSWORD=y", "SG_ED_EMAIL_USERNAME=mailer"});
    INFO(ran.out << ran.err << desk.yaml());
    CHECK(ran.ended == Ended{0, 0});
    CHECK(has(desk.yaml(), how == "text" ? "cd#e: 'f'" : "${SGEVENTD_KEY}"));
    CHECK_FALSE(std::filesystem::exists(desk.dir / "site-key"));
    struct stat info {};
    REQUIRE(::stat(desk.made().c_str(), &info) == 0);
    if (how == "text") CHECK((info.st_mode & 0077U) == 0U);
}

TEST_CASE("an old configuration that Python cannot read is refused with the line") {
    Desk desk;
    const auto ran = desk.import("[daemon]\nlogging: 20\nthis is nothing\n");
    CHECK(ran.ended == Ended{65, 0});
    CHECK(has(ran.err, "old.conf: line 3: expected `key: value`"));
    CHECK_FALSE(std::filesystem::exists(desk.made()));
}
