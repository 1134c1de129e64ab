// What the configuration may say of the status page.

#include <algorithm>

#include "catch.hpp"
#include "config/load.hpp"
#include "fixture.hpp"

namespace admin_config_test {

using namespace sg;

namespace {

std::string with(const std::string& admin) {
    return std::string(test::ConfigFile::least) + "admin: " + admin + "\n";
}

}  // namespace

TEST_CASE("the status page has no token unless one is set, and it is a secret wherever it stands") {
    test::ConfigFile file;
    const auto none = file.load(with(R"({ address: "127.0.0.1:9464" })"));
    REQUIRE(none);
    CHECK(none->config.admin.token.value.empty());
    const std::string token = "page-token-0123456789";
    file.write(token + "\n", "token");
    file.environment["PAGE_TOKEN"] = token;
    for (const auto& from :
         {"token: " + token, std::string("token: \"${PAGE_TOKEN}\""), std::string("token_file: token")}) {
        INFO(from);
        const auto loaded = file.load(with("{ address: \"127.0.0.1:9464\", " + from + " }"));
        if (!loaded) FAIL(loaded.error().front().to_string());
        CHECK(loaded->config.admin.token.value == token);
        const auto secrets = loaded->config.secrets();
        CHECK(std::find(secrets.begin(), secrets.end(), token) != secrets.end());
        CHECK(config::show(loaded->config).find(token) == std::string::npos);
    }
}

TEST_CASE("a page's token that is short, given twice, not there or of no use is refused") {
    const auto [section, problem] = GENERATE(table<std::string, std::string>(
        {{R"({ address: "127.0.0.1:1", token: guessable })", "admin.token: expected at least 16 characters"},
         {R"({ address: "127.0.0.1:1", token: "" })", "admin.token: expected at least 16 characters"},
         {R"({ address: "127.0.0.1:1", token: a, token_file: b })",
          "admin: expected token or token_file, not"},
         {R"({ address: "127.0.0.1:1", token_file: none })", "admin.token_file: "},
         {"{ token: a }", "admin.token: goes with address, which is missing"},
         {"{ token_file: a }", "admin.token_file: goes with address, which is missing"}}));
    test::ConfigFile file;
    INFO(section);
    const auto said = file.problems(with(section));
    INFO(said);
    CHECK(said.find(problem) != std::string::npos);
}

}  // namespace admin_config_test
