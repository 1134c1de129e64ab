// Real libraries whose note says that they were built for another daemon.

#include <fstream>
#include <sg/abi.hpp>
#include <sstream>

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;

namespace {

const std::string ours = SG_ABI_TEXT;

/// Our note with one value changed, and as long as ours: what is told of the compiler at its end gives way.
std::string note_with(const std::string& key, const std::string& value) {
    auto text = ours;
    const auto from = text.find(key + "=");
    REQUIRE(from != std::string::npos);
    const auto begin = from + key.size() + 1;
    text.replace(begin, text.find(';', begin) - begin, value);
    text.resize(ours.size(), ' ');
    return text;
}

}  // namespace

TEST_CASE("a library of another ABI is refused by its note, with both sides named, before any of it runs") {
    const std::string other_sanitizer = ours.find("sanitizer=none") != std::string::npos ? "address" : "none";
    const std::vector<std::pair<std::string, std::string>> all{
        {"api", "1.9"}, {"stdlib", "libstdc++,cxx11=0"}, {"sanitizer", other_sanitizer}, {"json", "3.10.5"}};
    Rig rig;
    for (const auto& [key, value] : all) {
        std::ostringstream library;
        // It would end its process while it registers: that it did not shows that it was not run.
        library << std::ifstream(Rig::built("crashes_in_registration"), std::ios::binary).rdbuf();
        auto bytes = library.str();
        const auto at = bytes.find(ours);
        REQUIRE(at != std::string::npos);
        bytes.replace(at, ours.size(), note_with(key, value));
        std::ofstream(rig.dir / "plugins" / ("other_" + key + ".so"), std::ios::binary) << bytes;
    }
    rig.start();
    REQUIRE(rig.wait([&] { return rig.owner.refusals.size() >= all.size(); }));
    INFO(rig.everything_logged());
    for (const auto& [key, value] : all) {
        const auto* refusal = rig.owner.refusal_of("other_" + key);
        REQUIRE(refusal != nullptr);
        INFO(refusal->why.message);
        CHECK_FALSE(refusal->will_retry);
        CHECK(refusal->why.message.find("see " + key + ":") != std::string::npos);
        CHECK(refusal->why.message.find("the plugin has [" + note_with(key, value)) != std::string::npos);
        CHECK(refusal->why.message.find("the daemon has [" + ours) != std::string::npos);
    }
    CHECK(rig.owner.refusals.size() == all.size());
}
