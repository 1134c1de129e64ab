// Asks the site while it registers, and for each event.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.logger().info("found {}", registrar.site().find("Shot", nullptr).dump());
    registrar.add({.name = "asks",
                   .callback =
                       [](const sg::Event& event, sg::Context& context) {
                           const auto row = context.site().update("Shot", event.id(), {{"code", "x"}});
                           context.logger().info("answer {} key {} args {}", row.dump(),
                                                 context.idempotency_key(), context.args().dump());
                       },
                   .args = {{"mine", 1}},
                   .credential = sg::Credential::named("writer")});
    registrar.alerts_to({"td@example.com"});
}
