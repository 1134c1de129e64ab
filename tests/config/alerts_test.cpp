// What the configuration may say of alerts.

#include "catch.hpp"
#include "fixture.hpp"

using namespace sg;

namespace {

std::string with_alerts(const std::string& lines) { return test::ConfigFile::least + ("alerts:\n" + lines); }

constexpr const char* mail = R"(  mail:
    server: smtp.studio.lan
    from: sgeventd@studio.example
    to: [td@studio.example]
)";

}  // namespace

TEST_CASE("a mail server, a sender and recipients are all that mail needs") {
    test::ConfigFile file;
    const auto loaded = file.load(with_alerts(mail));
    if (!loaded) FAIL(loaded.error().front().to_string());
    CHECK(loaded->config.alerts.mail.to == std::vector<std::string>{"td@studio.example"});
    CHECK(loaded->config.alerts.mail.tls == config::MailTls::starttls);
}

TEST_CASE("C135 a login without TLS is refused unless it is allowed, and the password is a secret") {
    test::ConfigFile file;
    file.environment["MAIL_PASSWORD"] = "mail-pass-8412";
    const auto login = std::string(mail) + "    user: robot\n    password: ${MAIL_PASSWORD}\n";
    CHECK(file.problems(with_alerts(login)).empty());
    CHECK(file.problems(with_alerts(login + "    tls: none\n")) ==
          "c.yaml:17:5: alerts.mail.user: a login without TLS shows the password to anybody on the way: set "
          "tls, or "
          "allow_plain_login: true\n");
    const auto loaded = file.load(with_alerts(login + "    tls: none\n    allow_plain_login: true\n"));
    REQUIRE(loaded);
    CHECK(loaded->config.alerts.mail.password.value == "mail-pass-8412");
    const auto secrets = loaded->config.secrets();
    CHECK(std::find(secrets.begin(), secrets.end(), "mail-pass-8412") != secrets.end());
    CHECK(config::show(loaded->config).find("mail-pass-8412") == std::string::npos);
}

TEST_CASE("a password and the address of a hook may stand in files of their own") {
    test::ConfigFile file;
    file.write("mail-pass-8412\n", "password");
    file.write("https://chat.example.com/hook-token\n", "hook");
    const auto loaded = file.load(with_alerts(
        std::string(mail) + "    user: robot\n    password_file: password\n  hook: { url_file: hook }\n"));
    if (!loaded) FAIL(loaded.error().front().to_string());
    CHECK(loaded->config.alerts.mail.password.value == "mail-pass-8412");
    CHECK(loaded->config.alerts.hook.url.value == "https://chat.example.com/hook-token");
    const auto shown = config::show(loaded->config);
    CHECK(shown.find("mail-pass") == std::string::npos);
    CHECK(shown.find("hook-token") == std::string::npos);
}

TEST_CASE("what is wrong with alerts is said, each by its key") {
    const auto [lines, problem] = GENERATE(table<std::string, std::string>(
        {{"  mail: { server: a b, from: x@y, to: [x@y] }\n",
          "alerts.mail.server: expected the name or address of a mail server"},
         {"  mail: { server: smtp }\n",
          "alerts.mail: from is missing: expected an address such as td@example.com"},
         {"  mail: { server: smtp }\n",
          "alerts.mail: to is missing: expected an address such as td@example.com"},
         {"  mail: { server: smtp, from: x, to: [x@y] }\n",
          "alerts.mail.from: expected an address such as td@example.com"},
         {"  mail: { server: smtp, from: x@y, to: [\"td@studio\\r\\nBcc: a@b\"] }\n",
          "alerts.mail.to: 'td@studio"},
         {"  mail: { from: x@y }\n", "alerts.mail.from: goes with server, which is missing"},
         {"  mail: { server: smtp, from: x@y, to: [x@y], user: a }\n",
          "alerts.mail: expected password or password_file"},
         {"  mail: { server: smtp, from: x@y, to: [x@y], password: a }\n",
          "alerts.mail: a password goes with user, which is missing"},
         {"  mail: { server: smtp, from: x@y, to: x@y }\n",
          "alerts.mail.to: expected a list of texts, such as [one, two]"},
         {"  mail: { server: smtp, from: x@y, to: [x@y], tls: yes }\n",
          "alerts.mail.tls: expected one of starttls, implicit, none"},
         {"  hook: { url: ftp://x }\n", "alerts.hook.url: expected an address that begins with https://"},
         {"  command: [notify]\n", "alerts.command: expected the whole path of the program"},
         {"  command: notify\n", "alerts.command: expected a list of texts, such as [one, two]"},
         {"plugins: { a: { alerts_to: [everybody] } }\n",
          "plugins.a.alerts_to: 'everybody': expected an address such as td@example.com"},
         {"plugins: { a: { alerts_to: [] } }\n", "plugins.a.alerts_to: expected a list of texts"}}));
    test::ConfigFile file;
    INFO(lines);
    const auto said = file.problems(with_alerts(lines));
    INFO(said);
    CHECK(said.find(problem) != std::string::npos);
}

TEST_CASE(
    "C134 a plugin's recipients are everybody, nobody, or addresses, and as under plugin_defaults else") {
    test::ConfigFile file;
    const auto loaded =
        file.load(std::string(test::ConfigFile::least) +
                  "plugin_defaults: { alerts_to: [td@studio.example] }\n"
                  "plugins: { a: { alerts_to: [all] }, b: { alerts_to: [none] }, c: { nice: 1 } }\n");
    if (!loaded) FAIL(loaded.error().front().to_string());
    const auto& config = loaded->config;
    using List = std::vector<std::string>;
    CHECK(config.of("a").alerts_to == List{"all"});
    CHECK(config.of("b").alerts_to == List{"none"});
    CHECK(config.of("c").alerts_to == List{"td@studio.example"});
    CHECK(config.of("d").alerts_to == List{"td@studio.example"});
}
