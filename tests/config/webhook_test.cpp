// What the configuration may say of the site's webhook.

#include <algorithm>

#include "catch.hpp"
#include "config/load.hpp"
#include "fixture.hpp"

namespace webhook_config_test {

using namespace sg;

namespace {

std::string with(const std::string& webhook) {
    return std::string(test::ConfigFile::least) + "webhook: " + webhook + "\n";
}

}  // namespace

TEST_CASE("no webhook is received unless an address is set, and the token is a secret wherever it stands") {
    test::ConfigFile file;
    const auto none = file.load(test::ConfigFile::least);
    REQUIRE(none);
    CHECK(none->config.webhook.address.empty());
    file.write("hook-token-77\n", "token");
    file.environment["HOOK_TOKEN"] = "hook-token-77";
    for (const std::string from : {"token: hook-token-77", "token: \"${HOOK_TOKEN}\"", "token_file: token"}) {
        INFO(from);
        const auto loaded = file.load(with("{ address: \"127.0.0.1:9465\", " + from + " }"));
        if (!loaded) FAIL(loaded.error().front().to_string());
        CHECK(loaded->config.webhook.address == "127.0.0.1:9465");
        CHECK(loaded->config.webhook.token.value == "hook-token-77");
        const auto secrets = loaded->config.secrets();
        CHECK(std::find(secrets.begin(), secrets.end(), "hook-token-77") != secrets.end());
        CHECK(config::show(loaded->config).find("hook-token-77") == std::string::npos);
    }
}

TEST_CASE("a webhook without a token, with two, with an empty one, or with no address is refused") {
    const auto [section, problem] = GENERATE(table<std::string, std::string>(
        {{R"({ address: "127.0.0.1:1" })", "webhook: expected the token, or token_file"},
         {R"({ address: "127.0.0.1:1", token: a, token_file: b })",
          "webhook: expected token or token_file, not"},
         {R"({ address: "127.0.0.1:1", token: "" })", "webhook.token: expected a token, not an empty one"},
         {R"({ address: "127.0.0.1:1", token_file: none })", "webhook.token_file: "},
         {"{ token: a }", "webhook.token: goes with address, which is missing"},
         {"{ token_file: a }", "webhook.token_file: goes with address, which is missing"}}));
    test::ConfigFile file;
    INFO(section);
    const auto said = file.problems(with(section));
    INFO(said);
    CHECK(said.find(problem) != std::string::npos);
}

}  // namespace webhook_config_test
