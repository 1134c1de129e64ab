// Writes to the file named in its arguments which version of it ran each event; waits in a "Hold" event until
// the file named there exists.
#include <fstream>
#include <sg/plugin.hpp>
#include <thread>

#ifdef HELPER
int helper_version();
#define VERSION helper_version()
#endif

SG_PLUGIN(registrar) {
    registrar.add({.name = "version", .callback = [](const sg::Event& event, sg::Context& context) {
                       const auto journal = context.args().at("journal").get<std::string>();
                       std::ofstream(journal, std::ios::app) << event.id() << " v" << VERSION << std::endl;
                       if (event.type() != "Hold") return;
                       while (!std::ifstream(journal + ".open"))
                           std::this_thread::sleep_for(std::chrono::milliseconds(1));
                       std::ofstream(journal, std::ios::app)
                           << event.id() << " held by v" << VERSION << std::endl;
                   }});
}
