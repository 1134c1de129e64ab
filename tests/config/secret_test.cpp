// Keys: verbatim on their way in, and never on their way out.

#include "catch.hpp"
#include "fixture.hpp"

using namespace sg;
using test::ConfigFile;

namespace {

const std::vector<std::string> awkward{"per%cent%%s", "has # hash", "a: b", "'single'", "\"double\"",
                                       "  spaces  ",  "schlüssel✓", "${",   "$x${a b}", "back\\slash"};

std::string with_key(const std::string& line) {
    std::string text = ConfigFile::least;
    text.replace(text.find("key: first-secret"), 17, line);
    return text;
}

std::string yaml_quoted(std::string text) {
    for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 2))
        text.insert(at, "'");
    return "'" + text + "'";
}

}  // namespace

TEST_CASE("C126 a key of any characters arrives verbatim from the file, the environment and a key file") {
    for (const auto& key : awkward) {
        DYNAMIC_SECTION("key " << key) {
            ConfigFile file;
            file.environment["SG_KEY"] = key;
            file.write(key, "plain.key");
            file.write(key + "\n", "newline.key");
            for (const auto& line : {"key: " + yaml_quoted(key), std::string("key: ${SG_KEY}"),
                                     std::string("key: \"${SG_KEY}\""), std::string("key_file: plain.key"),
                                     std::string("key_file: newline.key")}) {
                const auto loaded = file.load(with_key(line));
                INFO(line);
                REQUIRE(loaded);
                CHECK(loaded->config.credentials.at("daemon").key.value == key);
            }
        }
    }
}

TEST_CASE("a key in the credentials directory of the service manager is found by reference") {
    ConfigFile file;
    file.write("from-the-manager\n", "site-key");
    file.environment["CREDENTIALS_DIRECTORY"] = file.directory().string();
    const auto loaded = file.load(with_key("key_file: ${CREDENTIALS_DIRECTORY}/site-key"));
    REQUIRE(loaded);
    CHECK(loaded->config.credentials.at("daemon").key.value == "from-the-manager");
}

TEST_CASE("C125 no variable of the environment counts unless the file refers to it") {
    ConfigFile file;
    for (const auto* name :
         {"USERNAME", "PORT", "PROXY_SERVER", "KEY", "PATHS", "HTTPS_PROXY", "SGEVENTD_KEY"})
        file.environment[name] = "from-the-environment";
    const auto loaded = file.load(ConfigFile::least);
    REQUIRE(loaded);
    CHECK(file.asked.empty());
    CHECK(config::show(loaded->config).find("from-the-environment") == std::string::npos);

    const auto referring = file.load(with_key("key: ${KEY}"));
    REQUIRE(referring);
    CHECK(file.asked == std::vector<std::string>{"KEY"});
    CHECK(referring->config.credentials.at("daemon").key.value == "from-the-environment");
}

TEST_CASE("a reference to nothing is an error that names it") {
    ConfigFile file;
    CHECK(file.problems(with_key("key: ${ABSENT}")) ==
          "c.yaml:7:10: credentials.daemon.key: expected the environment variable ABSENT to be set\n");
    CHECK(file.problems(with_key("key_file: absent.key")).find("absent.key: No such file") !=
          std::string::npos);
    CHECK(file.problems(with_key("key_file: .")).find("is a directory") != std::string::npos);
    file.write("\n", "empty.key");
    CHECK(file.problems(with_key("key_file: empty.key")).find("is empty") != std::string::npos);
    CHECK(file.problems(with_key("key: ''")).find("not an empty one") != std::string::npos);
    CHECK(file.problems(with_key("key: k\n    key_file: empty.key")).find("not both") != std::string::npos);
}

TEST_CASE("what is shown has every secret masked and says where it came from") {
    ConfigFile file;
    file.environment["SG_KEY"] = "environment-secret";
    file.environment["TOKEN"] = "argument-secret";
    auto text =
        with_key("key: ${SG_KEY}") + "plugins:\n  chat:\n    args: {token: '${TOKEN}', channel: '5'}\n";
    text.insert(text.find("credentials:"), "  proxy: me:proxy-secret@proxy:3128\n");
    const auto loaded = file.load(text);
    REQUIRE(loaded);
    CHECK(loaded->config.plugins.at("chat").args.json == R"({"channel":"5","token":"argument-secret"})");

    const auto shown = config::show(loaded->config);
    for (const auto* secret : {"environment-secret", "second-secret", "argument-secret", "proxy-secret"}) {
        CHECK(shown.find(secret) == std::string::npos);
        const auto masked = loaded->config.secrets();
        CHECK(std::find(masked.begin(), masked.end(), secret) != masked.end());
    }
    CHECK(shown.find("${SG_KEY}") != std::string::npos);
    CHECK(shown.find("${TOKEN}") != std::string::npos);
    CHECK(shown.find("channel: \"5\"") != std::string::npos);
}

TEST_CASE("a person and a session are credentials too, with secrets as well kept as keys") {
    ConfigFile file;
    file.environment["PASSWORD"] = "environment-password";
    file.write("file-token\n", "token");
    auto text = std::string(ConfigFile::least);
    text.insert(text.find("collections:"),
                "  rhea: { user: rhea, password: '${PASSWORD}', auth_token: '492817' }\n"
                "  zoe: { user: zoe, password: plain-password, sudo_as_login: rhea }\n"
                "  browser: { session_token_file: token }\n");
    const auto persons = file.load(text);
    if (!persons) FAIL(persons.error().front().to_string());
    const auto& all = persons->config.credentials;
    CHECK(all.at("rhea").user == "rhea");
    CHECK(all.at("rhea").password.value == "environment-password");
    CHECK(all.at("rhea").auth_token.value == "492817");
    CHECK(all.at("zoe").sudo_as_login == "rhea");
    CHECK(all.at("browser").session_token.value == "file-token");
    const auto shown = config::show(persons->config);
    const auto masked = persons->config.secrets();
    for (const auto* secret : {"environment-password", "492817", "plain-password", "file-token"}) {
        CHECK(shown.find(secret) == std::string::npos);
        CHECK(std::find(masked.begin(), masked.end(), secret) != masked.end());
    }
    CHECK(shown.find("${PASSWORD}") != std::string::npos);
    CHECK(shown.find("sudo_as_login: rhea") != std::string::npos);
}

TEST_CASE("a credential that is half, double or nothing is refused where it stands") {
    ConfigFile file;
    const auto said = [&](const std::string& section) {
        auto text = std::string(ConfigFile::least);
        text.insert(text.find("collections:"), "  x: {" + section + "}\n");
        return file.problems(text);
    };
    file.write("\n", "empty");
    CHECK(said("sudo_as_login: rhea") ==
          "c.yaml:11:3: credentials.x: expected a script, a user or a session_token\n");
    CHECK(said("script: s, key: k, user: rhea, password: p") ==
          "c.yaml:11:3: credentials.x: expected one of script, user and session_token\n");
    CHECK(said("script: s, key: k, session_token: t").find("expected one of") != std::string::npos);
    CHECK(said("user: rhea") == "c.yaml:11:3: credentials.x: expected password or password_file\n");
    CHECK(said("script: s") == "c.yaml:11:3: credentials.x: expected key or key_file\n");
    CHECK(said("user: rhea, password: p, password_file: empty").find("not both") != std::string::npos);
    CHECK(said("password: p") == "c.yaml:11:7: credentials.x.password: goes with user, which is missing\n");
    CHECK(said("script: s, key: k, auth_token: '1'") ==
          "c.yaml:11:26: credentials.x.auth_token: goes with user, which is missing\n");
    CHECK(said("session_token_file: empty").find("session_token_file: ") != std::string::npos);
    CHECK(said("session_token_file: empty").find("is empty") != std::string::npos);
    CHECK(said("user: rhea, password: ''").find("not an empty one") != std::string::npos);
    CHECK(said("user: '', password: p").find("not an empty one") != std::string::npos);
    CHECK(said("usr: rhea, password: p").find("did you mean user?") != std::string::npos);
}

TEST_CASE("no complaint repeats a secret") {
    ConfigFile file;
    CHECK(file.problems(with_key("key: [topsecret]")).find("topsecret") == std::string::npos);
    CHECK(file.problems(with_key("key: {topsecret: x}")).find("topsecret") == std::string::npos);
    CHECK(file.problems(with_key("key: 'topsecret")).find("topsecret") == std::string::npos);
}
