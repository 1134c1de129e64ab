// INI files: what Python reads is what we read.

#include "legacy/ini_file.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "catch.hpp"
#include "legacy/python.hpp"
#include "seed.hpp"

using namespace sg;
using legacy::IniFile;
using nlohmann::json;

namespace {

/// Null where it is refused.
json ours(const std::string& text) {
    const auto file = IniFile::read(text);
    if (!file) return nullptr;
    auto out = json::object();
    for (const auto& [section, entries] : file->sections()) {
        if (section == "DEFAULT" && entries.empty()) continue;
        out[section] = json::object();
        for (const auto& [key, entry] : entries) out[section][key] = entry.text;
    }
    return out;
}

std::vector<json> pythons(const std::vector<std::string>& texts) {
    const test::TempDir dir;
    {
        std::ofstream in(dir / "in");
        for (const auto& text : texts) in << json(text).dump() << "\n";
    }
    const auto script = std::string(SG_PYTHON) + " " + SG_SCRIPTS + "/read_ini.py <" + (dir / "in").string();
    const auto ran = test::run_to_end({"/bin/sh", "-c", script}, dir.path());
    INFO(ran.err);
    REQUIRE(ran.ended == test::Ended{0, 0});
    std::vector<json> out;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
    return out;
}

}  // namespace

TEST_CASE("an INI file means to us what it means to Python") {
    std::vector<std::string> texts{
        "[daemon]\nlogging: 20\nLogPath = /var/log\n",
        "[plugins]\npaths: /a,\n    /b,\n\n    /c\n# end\n",
        "[a]\nkey: value ; not a comment\nurl = https://x:80/?a=b\n",
        "[a]\n  key: value\n  other: 1\n   more\n",
        "[DEFAULT]\nhost: x\n[a]\nurl: http://%(host)s\n",
        "[a]\r\nk: v\r\n",
        "[a]\nk:\n[b]\nk =\n\n\n",
        "k: v\n",
        "[a]\nno delimiter\n",
        "[a]\nk: 1\nK: 2\n",
        "[a]\n[a]\n",
        "[a]b]c\nk: v\n",
        "[]\nk: v\n",
        "",
    };
    const std::vector<std::string> parts{"[a]",    "[b]",    "[DEFAULT]", "k: v",  "K = w", "x y : z",
                                         "  more", "\tmore", "# c",       "  ; c", "",      "   ",
                                         "plain",  ": v",    "k2=",       " [c]",  "k3: #", "k4 = 1 = 2"};
    std::mt19937 random(test::seed_of_run());
    for (int i = 0; i < 2000; ++i) {
        std::string text = random() % 4 == 0 ? "" : "[s]\n";
        for (auto n = random() % 7; n > 0; --n) text += parts[random() % parts.size()] + "\n";
        texts.push_back(text);
    }
    const auto expected = pythons(texts);
    REQUIRE(expected.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (ours(texts[i]) == expected[i]) continue;
        INFO(json(texts[i]).dump() << "\nours " << ours(texts[i]).dump());
        CHECK(expected[i].dump() == ours(texts[i]).dump());
    }
}

TEST_CASE("what an INI file refers to comes from its section, the defaults, or a variable") {
    const auto file = IniFile::read(
        "[DEFAULT]\nhost: example.com\n[a]\nurl: https://%(host)s/%(Path)s\npath: x%%y\nkey: %(API_KEY)s\n"
        "both: %(API_KEY)s!\nodd: 100%\nround: %(round)s\n");
    REQUIRE(file);
    const auto of = [&](const std::string& key, bool is_set = true) {
        return file->interpolated("a", key, [&](const std::string& name) {
            return is_set && name == "API_KEY" ? std::optional<std::string>("se%cret") : std::nullopt;
        });
    };
    CHECK(of("url").text == "https://example.com/x%y");
    CHECK(of("key").variable == "API_KEY");
    CHECK(of("key", false).variable == "API_KEY");
    CHECK(of("both").text == "se%cret!");
    CHECK(of("both").mixed_in == std::vector<std::string>{"API_KEY"});
    CHECK(of("both", false).fault == "the environment variable API_KEY is not set");
    CHECK(of("odd").text == "100%");
    CHECK(of("odd").fault == "a '%' that is not doubled");
    CHECK(of("round").fault == "its references go too deep");
}
