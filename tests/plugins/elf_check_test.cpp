#include "plugins/elf_check.hpp"

#include <cstdlib>
#include <fstream>
#include <random>
#include <sg/abi.hpp>
#include <sstream>

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::plugins;

namespace {

std::string bytes_of(const std::string& plugin) {
    std::ifstream in(test::Rig::built(plugin), std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

unsigned seed() {
    const char* given = std::getenv("SG_TEST_SEED");
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                            : std::random_device{}();
}

}  // namespace

TEST_CASE("a plugin's note is read without running the plugin") {
    CHECK(read_abi_note(bytes_of("good")) == std::string(SG_ABI_TEXT));
}

TEST_CASE("a file that was cut off anywhere is refused") {
    const auto whole = bytes_of("registers_nothing");
    REQUIRE(read_abi_note(whole));
    const auto step = std::max<std::size_t>(1, whole.size() / 500);
    for (std::size_t size = 0; size < whole.size(); size += step) {
        INFO("of " << whole.size() << " bytes " << size);
        CHECK_FALSE(read_abi_note(std::string_view(whole).substr(0, size)));
    }
    CHECK_FALSE(read_abi_note(std::string_view(whole).substr(0, whole.size() - 1)));
}

TEST_CASE("what is no plugin is told apart") {
    CHECK(read_abi_note("").error().message == "the file is empty");
    CHECK(read_abi_note("import sys").error().message == "not a shared library");
    CHECK(read_abi_note("\x7f"
                        "ELF")
              .error()
              .message.find("not complete") != std::string::npos);
}

TEST_CASE("no file does harm to the reader of notes") {
    const auto started = seed();
    INFO("SG_TEST_SEED=" << started);
    std::mt19937 random(started);
    const auto whole = bytes_of("registers_nothing");
    const auto pick = [&](std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
    };
    std::size_t refused = 0;
    auto bytes = whole;
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::size_t> changed;
        for (std::size_t i = 0, n = 1 + pick(8); i < n; ++i) {
            // Mostly the headers: that is where lengths and offsets stand.
            changed.push_back(pick(4) != 0 ? pick(1024) : pick(bytes.size()));
            bytes[changed.back()] = static_cast<char>(pick(256));
        }
        if (!read_abi_note(bytes)) ++refused;
        for (const auto at : changed) bytes[at] = whole[at];
    }
    CHECK(refused > 100);
}

TEST_CASE("only what matters of an ABI is compared, and both sides are named") {
    const std::string ours = "api=1.2;stdlib=libstdc++,cxx11=1;sanitizer=none;json=3.11.2;compiler=12.2";
    CHECK(compare_abi(ours, ours));
    CHECK(compare_abi("api=1.0;stdlib=libstdc++,cxx11=1;sanitizer=none;json=3.11.2;compiler=11.4", ours));
    const auto differs = [&](const std::string& theirs, const std::string& what) {
        const auto result = compare_abi(theirs, ours);
        REQUIRE_FALSE(result);
        CHECK(result.error().message.find("see " + what + ":") != std::string::npos);
        CHECK(result.error().message.find(theirs) != std::string::npos);
        CHECK(result.error().message.find(ours) != std::string::npos);
    };
    differs("api=1.3;stdlib=libstdc++,cxx11=1;sanitizer=none;json=3.11.2", "api");
    differs("api=2.0;stdlib=libstdc++,cxx11=1;sanitizer=none;json=3.11.2", "api");
    differs("api=1.2;stdlib=libstdc++,cxx11=0;sanitizer=none;json=3.11.2", "stdlib");
    differs("api=1.2;stdlib=libstdc++,cxx11=1;sanitizer=address;json=3.11.2", "sanitizer");
    differs("api=1.2;stdlib=libstdc++,cxx11=1;sanitizer=none;json=3.12.0", "json");
    differs("nonsense", "api, stdlib, sanitizer, json");
}
