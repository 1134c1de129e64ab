// A host in threads of the daemon.

#include "host/link/memory_channel.hpp"
#include "host/run/host_run.hpp"
#include "plugins/host_body.hpp"
#include "util/thread.hpp"

namespace sg::plugins {
namespace {

class ThreadHost final : public HostBody {
public:
    ThreadHost(Loop& loop, const std::string& plugin, std::filesystem::path build,
               std::unique_ptr<RunRecord> record)
        : record_(std::move(record)) {
        auto link = host::make_memory_link(loop);
        channel_ = std::move(link.daemon);
        // The thread may outlive this object only within its destructor, which waits for it.
        thread_ = start_thread(
            "h:" + plugin,
            [this, &loop, plugin, build = std::move(build), alive = std::weak_ptr<int>(alive_),
             channel = std::shared_ptr<host::HostChannel>(std::move(link.host))](std::stop_token) mutable {
                {
                    host::HostRun run(*channel, writable_page(), [] {});
                    // The plugin's code has a thread of its own, which has ended when the plugin is unloaded:
                    // its thread_local objects are in the plugin, and would keep it mapped.
                    start_thread("p:" + plugin, [&run](std::stop_token) { run.run(); }).join();
                }
                channel.reset();
                loop.post([this, alive = std::move(alive), left = still_mapped(build)]() mutable {
                    if (!alive.expired()) ended_({true, "ended", {}, std::move(left)});
                });
            });
    }
    ~ThreadHost() override { channel_->close(); }

    host::DaemonChannel& channel() override { return *channel_; }
    const host::RunPage& page() const override { return record_ ? record_->page() : page_; }
    void name_callbacks(const std::vector<std::string>& names) override {
        if (record_) record_->name(names);
    }
    void on_end(std::function<void(End)> ended) override { ended_ = std::move(ended); }
    bool can_be_killed() const noexcept override { return false; }
    void abort() override {}
    void kill() override {}
    int pid() const noexcept override { return 0; }

private:
    host::RunPage& writable_page() { return record_ ? record_->page() : page_; }

    const std::unique_ptr<RunRecord> record_;
    host::RunPage page_;  // without a record
    std::function<void(End)> ended_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // loop thread only
    std::unique_ptr<host::DaemonChannel> channel_;
    std::jthread thread_;  // joined first
};

}  // namespace

std::unique_ptr<HostBody> start_thread_host(Loop& loop, const std::string& plugin,
                                            std::filesystem::path build, std::unique_ptr<RunRecord> record) {
    return std::make_unique<ThreadHost>(loop, plugin, std::move(build), std::move(record));
}

}  // namespace sg::plugins
