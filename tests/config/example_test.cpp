// config/sgeventd.yaml says what is true.

#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "config/keys.hpp"
#include "config/reference.hpp"
#include "fixture.hpp"

using namespace sg;

namespace {

std::string text_of(const char* file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}
std::string example() { return text_of(SG_EXAMPLE_CONFIG); }

/// Every key in force, and those that are only described (`# key: value`), alike.
std::string with_optional_keys() {
    std::stringstream in(example());
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto hash = line.find("# ");
        const auto colon = line.find(": ");
        const bool key = hash != std::string::npos && colon != std::string::npos && hash >= 2 &&
                         line.find_first_not_of(' ') == hash &&
                         line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", hash + 2) == colon;
        out += (key ? line.substr(0, hash) + line.substr(hash + 2) : line) + "\n";
    }
    return out;
}

tl::expected<config::Loaded, std::vector<config::Problem>> load(test::ConfigFile& file,
                                                                const std::string& text) {
    for (const auto* name : {"plugins-key", "rhea-password", "session"}) file.write("secret\n", name);
    file.environment["RHEA_PASSWORD"] = file.environment["RHEA_CODE"] = file.environment["SESSION"] = "s";
    file.environment["SGEVENTD_MAIL_PASSWORD"] = "mail-secret";
    file.environment["SGEVENTD_WEBHOOK_TOKEN"] = "token";
    file.environment["SGEVENTD_PAGE_TOKEN"] = "token-of-the-page";
    file.environment["SGEVENTD_HOOK"] = "https://chat.example.com/secret";
    file.environment["SGEVENTD_KEY"] = "daemon-key";
    file.environment["CREDENTIALS_DIRECTORY"] = file.directory().string();
    return file.load(text);
}

}  // namespace

TEST_CASE("the example is a configuration without a fault, with or without what it leaves out") {
    test::ConfigFile file;
    for (const auto& text : {example(), with_optional_keys()}) {
        const auto loaded = load(file, text);
        if (!loaded) FAIL(loaded.error().front().to_string());
        CHECK(loaded->warnings.empty());
    }
}

TEST_CASE("the example has every key that there is") {
    test::ConfigFile file;
    const auto text = with_optional_keys();
    for (const auto& key : config::keys()) {
        if (key.name.starts_with("plugins.")) continue;  // described once, under plugin_defaults
        const auto word = key.name.substr(key.name.rfind('.') + 1);
        INFO(key.name);
        CHECK((text.find("\n" + word + ":") != std::string::npos ||
               text.find(" " + word + ":") != std::string::npos));
    }
}

TEST_CASE("the values in the example are the defaults") {
    test::ConfigFile file;
    auto loaded = load(file, example());
    REQUIRE(loaded);
    config::Config defaults;
    for (const auto& key : config::keys()) {
        if (key.required || key.name.find('*') != std::string::npos) continue;
        if (key.name == "site.default_plugin_credential") continue;
        INFO(key.name);
        CHECK(config::to_text(key.slot(loaded->config, "")) == config::to_text(key.slot(defaults, "")));
    }
}

TEST_CASE("every default is within its own bounds") {
    config::Config defaults;
    for (const auto& key : config::keys()) {
        const auto text = config::to_text(key.slot(defaults, "x"));
        const auto slot = key.slot(defaults, "x");
        if (text.empty() || config::type_name(slot) == "anything" || config::type_name(slot) == "path")
            continue;
        INFO(key.name);
        CHECK(config::parse(text, slot, key.range));
        CHECK(config::to_text(slot) == text);
    }
}

TEST_CASE("what is shown is a configuration that comes down to the same") {
    test::ConfigFile file;
    const auto loaded = load(file, with_optional_keys());
    REQUIRE(loaded);
    const auto shown = config::show(loaded->config);
    auto again = file.load(shown);  // keys are references still, the proxy is `***`
    if (!again) FAIL(again.error().front().to_string());
    CHECK(shown.size() > 500);
    again->config.site.proxy.shown = loaded->config.site.proxy.shown;
    CHECK(config::show(again->config) == shown);
}

TEST_CASE("the configuration page has every key as it is validated") {
    const auto page = text_of(SG_CONFIGURATION_PAGE);
    const auto tables = config::reference();
    CHECK(tables.size() > 2000);
    INFO("sgeventd check-config --keys prints what has to stand there");
    CHECK(page.ends_with("\n" + tables));
}

TEST_CASE("the smallest configuration of that page is one") {
    const auto page = text_of(SG_CONFIGURATION_PAGE);
    const auto begin = page.find("```yaml\n") + 8;
    test::ConfigFile file;
    const auto loaded = load(file, page.substr(begin, page.find("```", begin) - begin));
    if (!loaded) FAIL(loaded.error().front().to_string());
    CHECK(loaded->config.site.credential == "daemon");
}
