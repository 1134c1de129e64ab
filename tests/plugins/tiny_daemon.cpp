// Runs the plugins of one directory until it is killed. Tells the pids of its hosts.

#include <cstdio>
#include <map>

#include "capture_log.hpp"
#include "plugins/plugin_set.hpp"

namespace {

class Told final : public sg::plugins::GenerationOwner {
public:
    void on_ready(std::shared_ptr<sg::plugins::Generation> generation) override {
        std::vector<sg::plugins::Delivery> batch;
        static const std::string raw = R"({"id":1})";
        static const std::string type = "Bad";
        sg::event::EventRow row;
        row.id = 1;
        row.type = type;
        row.raw = raw;
        batch.push_back({sg::event::detach(row), {0}, 1, false});
        generation->deliver({std::move(batch)});
        ready.push_back(std::move(generation));
        std::puts("ready");
        std::fflush(stdout);
    }
    void on_outcomes(sg::plugins::Generation&, std::vector<sg::plugins::Outcome>) override {}
    void on_end(sg::plugins::Generation&, const sg::plugins::HostEnd&) override {}
    void on_refused(const std::string&, const sg::Failure&, bool) override {}
    std::vector<std::shared_ptr<sg::plugins::Generation>> ready;
};

class NoSite final : public sg::host::SiteRequests {
public:
    void start(sg::host::SiteRequest, std::stop_token,
               std::function<void(sg::host::SiteAnswer)> done) override {
        done(sg::fail(sg::Cause::network, "there is no site here"));
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 64;
    const std::filesystem::path directory = argv[1];
    sg::SystemClock clock;
    sg::Loop loop(clock);
    Told owner;
    NoSite site;
    sg::test::CaptureLog log;
    sg::plugins::PluginSetOptions options;
    options.collections = {directory / "plugins"};
    options.cache_directory = directory / "cache";
    options.lock_file = directory / "hosts.lock";
    const auto set = sg::plugins::PluginSet::make(options, loop, site, owner, log,
                                                  [&](const std::string&) -> sg::Logger& { return log; });
    set->start(nullptr);
    loop.run(std::stop_token());
    return 0;
}
