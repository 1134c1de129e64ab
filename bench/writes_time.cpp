// A plugin that notes when each event reached it.
#include <sg/plugin.hpp>

#include <chrono>
#include <fstream>
#include <memory>

SG_PLUGIN(registrar) {
    const auto file = std::make_shared<std::ofstream>(registrar.args().at("file").get<std::string>());
    registrar.on("*", [file](const sg::Event& event, sg::Context&) {
        *file << event.id() << ' ' << std::chrono::steady_clock::now().time_since_epoch().count()
              << std::endl;
    });
}
