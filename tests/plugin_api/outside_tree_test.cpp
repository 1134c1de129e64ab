// A plugin author's day: install the SDK, build a project of one's own against it, run it.

#include "catch.hpp"
#include "e2e/process.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace fs = std::filesystem;
using sg::test::Ended;

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
              "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"});
        step({SG_CMAKE, "--build", build_.string(), "-j2"});
    }

    sg::test::Ran run(const std::vector<std::string>& command) {
        // Compiling takes minutes on a busy machine: longer than other commands may.
        fs::remove(dir_ / "out");
        fs::remove(dir_ / "err");
        sg::test::Process process(command, environment(), dir_ / "out", dir_ / "err");
        const auto ended = process.wait(std::chrono::minutes(25));
        return {ended.value_or(Ended{}), sg::test::read_file(dir_ / "out"),
                sg::test::read_file(dir_ / "err")};
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

/// The daemon of this tree loads a plugin of that project and hands it an event.
void check_that_it_runs(const OutsideProject& project) {
    const auto& dir = project.scratch();
    fs::create_directories(dir / "collection");
    fs::copy(project.plugins() / "ready_for_review.so", dir / "collection");

    sg::sandbox::Site site;
    const auto show = site.add("Project", {{"name", "Demo"}});
    const auto version =
        site.add("Version", {{"code", "sh010_comp_v001"}, {"project", {{"type", "Project"}, {"id", show}}}});
    site.add_event({.event_type = "Shotgun_Version_Change",
                    .attribute_name = "sg_status_list",
                    .meta = {{"type", "attribute_change"}, {"old_value", "wtg"}, {"new_value", "rev"}},
                    .entity = {{"type", "Version"}, {"id", version}}});
    std::ofstream(dir / "sgeventd.yaml")
        << "site: {url: '" << site.url()
        << "', credential: daemon, poll_interval: 50ms, idle_poll_interval: 50ms}\n"
        << "credentials: {daemon: {script: " << sg::sandbox::Site::script
        << ", key: " << sg::sandbox::Site::key << "}}\n"
        << "collections: [" << (dir / "collection").string() << "]\n"
        << "plugin_defaults: {start: earliest}\n"
        << "state_dir: " << (dir / "state").string() << "\n"
        << "cache_dir: " << (dir / "cache").string() << "\n";

    sg::test::Process daemon({SG_PROGRAM, "run", "--config", (dir / "sgeventd.yaml").string()}, environment(),
                             dir / "daemon.out", dir / "daemon.err");
    const auto log = [&] {
        return sg::test::read_file(dir / "daemon.out") + sg::test::read_file(dir / "daemon.err");
    };
    const bool handled = sg::test::wait_for(
        [&] { return log().find("Ready for review. version=sh010_comp_v001") != std::string::npos; });
    daemon.signal(SIGTERM);
    const auto ended = daemon.wait(std::chrono::seconds(30));
    INFO(log());
    CHECK(handled);
    REQUIRE(ended);
    CHECK(*ended == Ended{0, 0});
}

}  // namespace

TEST_CASE("plugins of a project outside the tree build, test and run with the installed package alone") {
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
    check_that_it_runs(project);
}
