#include <sg/plugin.hpp>

#include <stdexcept>
#include <string>

SG_PLUGIN(registrar) {
    const auto& args = registrar.args();
    if (!args.is_object() || !args.contains("watched") || !args.at("watched").is_string())
        throw std::invalid_argument("the argument 'watched' must be a status code, such as \"rev\"");

    registrar.on(
        "Shotgun_Version_Change", "sg_status_list",
        [watched = args.at("watched").get<std::string>()](const sg::Event& event, sg::Context& context) {
            if (event.new_value() == watched)
                context.logger().info("Status reached. version={}", event.entity().name);
        });
}
