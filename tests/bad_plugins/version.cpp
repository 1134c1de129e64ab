// Writes to the file named in its arguments which version of it ran each event; waits in a "Hold" event until
// the file named there exists; logs in a "Speak" event. With `chooses`, version 1 chooses its log level and
// whom alerts go to, and the others choose nothing.
#include <fstream>
#include <sg/plugin.hpp>
#include <thread>

#ifdef HELPER
int helper_version();
#define VERSION helper_version()
#endif

SG_PLUGIN(registrar) {
    if (VERSION == 1 && registrar.args().contains("chooses")) {
        registrar.log_level(sg::LogLevel::debug);
        registrar.alerts_to({registrar.args().at("chooses").get<std::string>()});
    }
    registrar.add({.name = "version", .callback = [](const sg::Event& event, sg::Context& context) {
                       const auto journal = context.args().at("journal").get<std::string>();
                       std::ofstream(journal, std::ios::app) << event.id() << " v" << VERSION << std::endl;
                       if (event.type() == "Speak") {
                           context.logger().debug("whispered by v{}", VERSION);
                           context.logger().error("shouted by v{}", VERSION);
                       }
                       if (event.type() != "Hold") return;
                       while (!std::ifstream(journal + ".open"))
                           std::this_thread::sleep_for(std::chrono::milliseconds(1));
                       std::ofstream(journal, std::ios::app)
                           << event.id() << " held by v" << VERSION << std::endl;
                   }});
}
