#pragma once
// A plugin set with nothing around it, so that hosts can be measured alone.

#include <fmt/format.h>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "plugins/plugin_set.hpp"
#include "tests/temp_dir.hpp"

namespace sg::bench {

/// Passes on what a dispatcher would be told. Everything that goes wrong throws.
///
/// Threads: the one that calls `run_until`, which is the loop's.
class Rig final : public plugins::GenerationOwner {
public:
    explicit Rig(std::filesystem::path host_program) {
        std::filesystem::create_directories(dir_ / "plugins");
        options_.collections = {dir_ / "plugins"};
        options_.cache_directory = dir_ / "cache";
        options_.lock_file = dir_ / "hosts.lock";
        options_.site = "https://site.example";
        options_.host_program = std::move(host_program);
    }
    void add(const std::filesystem::path& file, const std::string& name) {
        std::filesystem::copy_file(file, dir_ / "plugins" / (name + ".so"));
    }
    void start() {
        set_ = plugins::PluginSet::make(options_, loop_, site_, *this, log_,
                                        [this](const std::string&) -> Logger& { return log_; });
        set_->start([](const auto&) {});
    }
    void load(const std::string& plugin) { set_->load(plugin); }
    std::vector<plugins::PluginStatus> status() const { return set_->status(); }
    plugins::Generation& serving(const std::string& plugin) { return *serving_.at(plugin); }
    std::size_t ready() const noexcept { return ready_; }  ///< generations that ever were

    /// Waits as the daemon does: in epoll, until `on_change` or an outcome made it true.
    void run_until(const std::function<bool()>& done) {
        done_ = &done;
        std::stop_source stop;
        stop_ = &stop;
        check();
        loop_.run(stop.get_token());
        stop_ = nullptr;
    }
    /// Called within the loop with the outcomes of a generation.
    std::function<void(plugins::Generation&, const std::vector<plugins::Outcome>&)> outcomes;

    void on_ready(std::shared_ptr<plugins::Generation> generation) override {
        ++ready_;
        auto& place = serving_[generation->plugin()];
        place = std::move(generation);
        check();
    }
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> list) override {
        if (outcomes) outcomes(generation, list);
        check();
    }
    void on_end(plugins::Generation&, const plugins::HostEnd&) override {}
    void on_refused(const std::string& plugin, const Failure& why, bool) override {
        throw std::runtime_error(plugin + ": " + why.message);
    }

private:
    struct Site final : host::SiteRequests {
        void start(host::SiteRequest, std::stop_token, std::function<void(host::SiteAnswer)> done) override {
            done(fail(Cause::not_supported, "there is no site here"));
        }
    };
    struct Log final : Logger {
        bool enabled(LogLevel level) const noexcept override { return level >= LogLevel::warning; }
        void write(LogLevel, std::string_view text) noexcept override { fmt::print(stderr, "{}\n", text); }
    };
    void check() {
        if (stop_ != nullptr && (*done_)()) stop_->request_stop();
    }

    test::TempDir dir_;
    SystemClock clock_;
    Loop loop_{clock_};
    plugins::PluginSetOptions options_;
    Site site_;
    Log log_;
    std::map<std::string, std::shared_ptr<plugins::Generation>> serving_;
    std::size_t ready_ = 0;
    const std::function<bool()>* done_ = nullptr;
    std::stop_source* stop_ = nullptr;
    std::unique_ptr<plugins::PluginSet> set_;
};

}  // namespace sg::bench
