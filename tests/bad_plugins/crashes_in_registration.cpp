// Dies before it is registered.
#include <cstdlib>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.logger().info("about to die");
    std::abort();
}
