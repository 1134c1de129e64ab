// Is loaded, and wants nothing.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) { registrar.logger().warning("nothing to do here"); }
