// A plugin author's day: install the SDK, build a project of one's own against it, run it.

#include <array>

#include "catch.hpp"
#include "e2e/process.hpp"
#include "temp_dir.hpp"

namespace fs = std::filesystem;
using sg::test::Ended;
using sg::test::run_to_end;

namespace {

/// What a shell would hand on: where the programs are, and the compiler cache.
std::vector<std::string> environment() {
    std::vector<std::string> out;
    for (const char* name : {"PATH", "HOME", "CCACHE_DIR", "CCACHE_MAXSIZE", "TMPDIR"})
        if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
    return out;
}

/// The examples of the guide as a project of their own, built against the SDK as installed. Nothing of
/// it lies in the source tree, or knows where that is.
class OutsideProject {
public:
    OutsideProject() {
        fs::copy(SG_EXAMPLES, source_, fs::copy_options::recursive);
        step({SG_CMAKE, "--install", SG_BUILD_TREE, "--component", "sdk", "--prefix", prefix_.string()});
        step({SG_CMAKE, "-S", source_.string(), "-B", build_.string(), "-G", SG_GENERATOR,
              "-DCMAKE_PREFIX_PATH=" + prefix_.string(), std::string("-DCMAKE_CXX_COMPILER=") + SG_COMPILER,
              std::string("-DCMAKE_CXX_COMPILER_LAUNCHER=") + SG_LAUNCHER,
              std::string("-DCMAKE_CXX_FLAGS=-O1 -Wall -Wextra -Wpedantic -Werror ") + SG_FLAGS});
        step({SG_CMAKE, "--build", build_.string(), "-j2"});
    }

    sg::test::Ran run(const std::vector<std::string>& command) {
        return run_to_end(command, dir_.path(), environment());
    }
    const fs::path& plugins() const { return build_; }
    const fs::path& prefix() const { return prefix_; }
    const fs::path& scratch() const { return dir_.path(); }

private:
    void step(const std::vector<std::string>& command) {
        const auto ran = run(command);
        INFO(command[1] << '\n' << ran.out << ran.err);
        REQUIRE(ran.ended == Ended{0, 0});
    }

    sg::test::TempDir dir_;
    fs::path source_ = dir_ / "my_plugins", build_ = dir_ / "build", prefix_ = dir_ / "prefix";
};

}  // namespace

TEST_CASE("a project outside the tree builds and tests its plugins with the installed package alone") {
    OutsideProject project;
    CHECK(fs::exists(project.prefix() / "include/sg/plugin.hpp"));
    CHECK(fs::exists(project.plugins() / "ready_for_review.so"));
    for (const auto& entry : fs::recursive_directory_iterator(project.prefix())) {
        if (!entry.is_regular_file()) continue;
        INFO(entry.path());
        CHECK(sg::test::read_file(entry.path()).find(SG_SOURCE_TREE) == std::string::npos);
    }
    const auto checked =
        project.run({SG_BUILT_PLUGIN_CHECK, (project.plugins() / "ready_for_review.so").string()});
    INFO(checked.err);
    CHECK(checked.ended == Ended{0, 0});
    const auto tested =
        project.run({SG_CTEST, "--test-dir", project.plugins().string(), "--output-on-failure"});
    INFO(tested.out << tested.err);
    CHECK(tested.ended == Ended{0, 0});
}
