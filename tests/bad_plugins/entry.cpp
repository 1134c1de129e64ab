// The entry of every plugin that is compiled together with others: the linker says whose registration it
// calls.
#include <sg/plugin.hpp>

extern "C" void register_this_plugin(sg::Registrar& registrar);

SG_PLUGIN(registrar) { register_this_plugin(registrar); }
