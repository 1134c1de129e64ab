// The samples of docs/tasks-and-retriever.md, against a sandbox.

#include <sstream>

#include "docs/samples/app_dialog.hpp"
#include "docs/samples/example_widget.hpp"
#include "docs/samples/main_window.hpp"
#include "docs/samples/publish.hpp"
#include "tests/retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// What is printed while it lives.
class Printed {
public:
    Printed() : before_(std::cout.rdbuf(text_.rdbuf())) {}
    ~Printed() { std::cout.rdbuf(before_); }
    Printed(const Printed&) = delete;
    Printed& operator=(const Printed&) = delete;
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
    std::streambuf* before_;
};

}  // namespace

TEST_CASE("the widget shows what arrives, and what fails") {
    Rig rig;
    {
        const Printed printed;
        ExampleWidget widget(rig.make());
        CHECK(rig.until([&] { return !printed.text().empty(); }));
        CHECK(printed.text().starts_with("Data arrived: find [{"));
        CHECK(printed.text().find("sh010") != std::string::npos);
        widget.close_event();
    }
    rig.studio.site.inject(Fault::status(500).on("read"));
    const Printed printed;
    ExampleWidget widget(rig.make());
    CHECK(rig.until([&] { return !printed.text().empty(); }));
    CHECK(printed.text().starts_with("Error: "));
    widget.close_event();
}

TEST_CASE("two retrievers of a dialog share its threads, and the end of it ends both") {
    Rig rig;
    AppDialog dialog(rig.loop.executor(), [&](std::shared_ptr<TaskManager> shared) {
        return make_data_retriever(rig.studio.connection(), rig.options(), std::move(shared));
    });
    const auto shots = dialog.shots().execute_find(rig.args_of_find());
    const auto assets =
        dialog.assets().execute_find(json::array({"Asset", json::array(), json::array({"code"})}));
    CHECK(shots.get().data["sg"].size() == 1);
    CHECK(assets.get().data["sg"].empty());
    const auto gate = rig.hold("read");
    const auto late = dialog.shots().execute_find(rig.args_of_find());
    REQUIRE(gate->wait_held(1));
    dialog.close_event();
    CHECK(throws<Stopped>([&] { late.get(); }));
    CHECK(throws<Closed>([&] { dialog.assets().execute_find(rig.args_of_find()); }));
}

TEST_CASE("a window awaits its projects while its thread goes on") {
    Rig rig;
    const auto data = rig.make();
    data->start();
    MainWindow window(*data);
    const auto gate = rig.hold("read");
    window.get_projects().detach();
    REQUIRE(gate->wait_held(1));
    rig.loop.poll();
    CHECK(window.projects.empty());
    gate->open();
    REQUIRE(rig.until([&] { return !window.projects.empty(); }));
    CHECK(window.projects[0].text == "Demo");
    CHECK(window.current == rig.studio.project);
}

TEST_CASE("a publish is copied, counted and noted, and fails as a whole") {
    Rig rig(2);
    const TempDir dir;
    std::ofstream(dir / "take.mov") << "picture";
    std::vector<std::string> groups;
    std::vector<Uid> failed;
    const auto finished =
        rig.manager->on_task_group_finished([&](const Group& group) { groups.push_back(group.str()); });
    const auto failures = rig.manager->on_task_failed(
        [&](Uid uid, const std::optional<Group>&, const TaskFailure&) { failed.push_back(uid); });
    const auto note = publish(*rig.manager, dir / "take.mov", dir / "published.mov");
    CHECK(note.get() == json{{"copy", (dir / "published.mov").string()}, {"bytes", 7}});
    CHECK(bytes_of(dir / "published.mov") == "picture");
    CHECK(json::parse(bytes_of(dir / "published.mov.json")) == note.get());
    REQUIRE(rig.until([&] { return !groups.empty(); }));
    CHECK(groups == std::vector<std::string>{"publish " + (dir / "published.mov").string()});

    const auto lost = publish(*rig.manager, dir / "nothing.mov", dir / "lost.mov");
    CHECK(throws<fs::filesystem_error>([&] { lost.get(); }));
    REQUIRE(rig.until([&] { return groups.size() == 2; }));
    CHECK(failed.size() == 2);
    CHECK_FALSE(fs::exists(dir / "lost.mov.json"));
}
