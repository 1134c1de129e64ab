#include <sg/plugin.hpp>

#include <map>

// Counts, per project, what has been published since the plugin was loaded.
class Publishes {
public:
    void operator()(const sg::Event& event, sg::Context& context) {
        const int count = ++count_[event.project_id()];
        context.logger().info("Published. project={} count={}", event.project().name, count);
    }

private:
    std::map<sg::EntityId, int> count_;  // one call at a time: no lock
};

SG_PLUGIN(registrar) { registrar.on("Shotgun_PublishedFile_New", Publishes{}); }
