// Asks for a policy that is not built yet.
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.add({.name = "strict",
                   .callback = [](const sg::Event&, sg::Context&) {},
                   .on_failure = sg::OnFailure::halt});
}
