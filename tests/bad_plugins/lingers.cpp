// Writes down that it ran each event; uses a thread_local object with a destructor in a "Local" event; leaves
// a thread behind in a "Linger" event, which has such an object too and ends when the file `<journal>.open`
// is there.
#include <fstream>
#include <sg/plugin.hpp>
#include <thread>

namespace {

struct Mark {
    ~Mark() { used = 0; }
    volatile int used = 0;
};
thread_local Mark mark;

}  // namespace

SG_PLUGIN(registrar) {
    registrar.add({.name = "lingers", .callback = [](const sg::Event& event, sg::Context& context) {
                       const auto journal = context.args().at("journal").get<std::string>();
                       if (event.type() == "Local") mark.used = 1;
                       if (event.type() == "Linger")
                           std::thread([journal] {
                               mark.used = 1;
                               while (!std::ifstream(journal + ".open"))
                                   std::this_thread::sleep_for(std::chrono::milliseconds(1));
                           }).detach();
                       std::ofstream(journal, std::ios::app) << event.id() << " v1" << std::endl;
                   }});
}
