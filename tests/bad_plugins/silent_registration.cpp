// Never finishes registering.
#include <chrono>
#include <sg/plugin.hpp>
#include <thread>

SG_PLUGIN(registrar) {
    registrar.logger().info("registering for ever");
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}
