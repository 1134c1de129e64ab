// Takes all the memory there is.
#include <sg/plugin.hpp>
#include <string>
#include <vector>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event& event, sg::Context&) {
        if (event.type() != "Bad") return;
        std::vector<std::string> all;
        while (true) all.emplace_back(std::size_t{16} << 20, static_cast<char>(event.id()));
    });
}
