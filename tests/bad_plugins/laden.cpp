// Carries what libraries bring along: expressions, a logger, JSON, and a thread of its own. Its journal is a
// log file of spdlog's: which event it ran, each written by that thread. It is a good plugin: all of it ends
// with the callback.
#define SPDLOG_FMT_EXTERNAL
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <regex>
#include <sg/plugin.hpp>
#include <thread>

namespace {

/// Writes for the callback, which waits for it.
class Writer {
public:
    explicit Writer(const std::string& journal)
        : log_("journal", std::make_shared<spdlog::sinks::basic_file_sink_mt>(journal)),
          thread_([this](const std::stop_token& stop) { run(stop); }) {
        log_.set_pattern("%v");
        log_.flush_on(spdlog::level::info);
    }
    void write(const nlohmann::json& what) {
        std::unique_lock lock(mutex_);
        next_ = what;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !next_; });
    }

private:
    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return next_.has_value(); })) {
            const std::regex numbers("\"id\":([0-9]+)");
            std::smatch found;
            const auto text = next_->dump();
            if (std::regex_search(text, found, numbers)) log_.info("{} v1", found[1].str());
            next_.reset();
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<nlohmann::json> next_;
    spdlog::logger log_;
    std::jthread thread_;  // ends first
};

}  // namespace

SG_PLUGIN(registrar) {
    auto writer = std::make_shared<Writer>(registrar.args().at("journal").get<std::string>());
    registrar.add({.name = "laden", .callback = [writer](const sg::Event& event, sg::Context&) {
                       writer->write({{"id", event.id()}, {"type", event.type()}});
                   }});
}
