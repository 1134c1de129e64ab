// The line of a service manager: how the daemon is, in one look.

#include "catch.hpp"
#include "service/admin_views.hpp"

using namespace sg;

namespace {

admin::PluginView plugin(const std::string& name, const std::string& state,
                         admin::Health health = admin::Health::good) {
    admin::PluginView view;
    view.plugin = name;
    view.state = state;
    view.health = health;
    view.generation = state == "disabled" ? 0 : 1;
    return view;
}

std::string line(std::vector<admin::PluginView> plugins) {
    admin::Snapshot snapshot;
    snapshot.daemon.site = "https://site.example";
    snapshot.stream.state = "level";
    snapshot.plugins = std::move(plugins);
    return service::one_line(snapshot);
}

}  // namespace

TEST_CASE("the status line counts plugins that are enabled, and those that are not beside them") {
    CHECK(line({}) == "Following https://site.example; 0 plugins.");
    CHECK(line({plugin("a", "running"), plugin("b", "running")}) ==
          "Following https://site.example; 2 plugins.");
    CHECK(line({plugin("a", "running"), plugin("b", "disabled"), plugin("c", "disabled")}) ==
          "Following https://site.example; 1 plugin, 2 disabled.");
    CHECK(line({plugin("a", "stuck", admin::Health::bad), plugin("b", "running"), plugin("c", "disabled")}) ==
          "Following https://site.example; 1 of 2 plugins behind or in trouble, 1 disabled.");
}

TEST_CASE("the status line says why the daemon is not ready") {
    CHECK(line({plugin("a", "failed to load", admin::Health::bad)}) == "Not ready: a: failed to load");
}
