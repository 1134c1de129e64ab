// Writes each event as one line of JSON to a file: a record of what happened, and proof of what was handled.

#include <fmt/chrono.h>

#include <chrono>
#include <memory>
#include <sg/plugin.hpp>

#include "line_file.hpp"

namespace {

std::string now() {
    const auto time = std::chrono::system_clock::now();
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count() % 1'000'000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                       us);
}

class Recorder {
public:
    Recorder(std::string plugin, std::string callback, const std::string& path)
        : plugin_(std::move(plugin)),
          callback_(std::move(callback)),
          file_(std::make_shared<sg::recorder::LineFile>(path)) {}

    void operator()(const sg::Event& event, sg::Context& context) {
        const nlohmann::ordered_json line{{"time", now()},
                                          {"plugin", plugin_},
                                          {"callback", callback_},
                                          {"event", event.id()},
                                          {"type", event.type()},
                                          {"attribute", event.attribute()},
                                          {"attempt", context.attempt()},
                                          {"redelivered", context.redelivered()}};
        file_->append(line.dump());
    }

private:
    std::string plugin_, callback_;
    std::shared_ptr<sg::recorder::LineFile> file_;
};

/// The absolute path in the argument `file`: a host's working directory is `/`.
std::string file_of(const nlohmann::json& args) {
    const auto file = args.is_object() ? args.find("file") : args.end();
    if (file == args.end() || !file->is_string() || !file->get<std::string>().starts_with('/'))
        throw std::invalid_argument(
            "the recorder needs the argument 'file': the absolute path of the file to write to");
    return file->get<std::string>();
}

}  // namespace

SG_PLUGIN(registrar) {
    const auto& args = registrar.args();
    const auto file = file_of(args);
    registrar.add({.name = "record",
                   .filter = sg::EventFilter::from_json(args.value("filter", nlohmann::json())),
                   .callback = Recorder(std::string(registrar.plugin()), "record", file)});
}
