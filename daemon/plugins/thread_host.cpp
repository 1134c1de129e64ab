// A host in a thread of the daemon.

#include "host/link/memory_channel.hpp"
#include "host/run/host_run.hpp"
#include "plugins/host_body.hpp"
#include "util/thread.hpp"

namespace sg::plugins {
namespace {

class ThreadHost final : public HostBody {
public:
    ThreadHost(Loop& loop, const std::string& plugin) {
        auto link = host::make_memory_link(loop);
        channel_ = std::move(link.daemon);
        // The thread may outlive this object only within its destructor, which waits for it.
        thread_ = start_thread(
            "p:" + plugin,
            [this, &loop, alive = std::weak_ptr<int>(alive_),
             channel = std::shared_ptr<host::HostChannel>(std::move(link.host))](std::stop_token) mutable {
                {
                    host::HostRun run(*channel, page_, [] {});
                    run.run();
                }
                channel.reset();
                loop.post([this, alive = std::move(alive)] {
                    if (!alive.expired()) ended_({true, "ended", {}});
                });
            });
    }
    ~ThreadHost() override { channel_->close(); }

    host::DaemonChannel& channel() override { return *channel_; }
    const host::RunPage& page() const override { return page_; }
    void on_end(std::function<void(End)> ended) override { ended_ = std::move(ended); }
    bool can_be_killed() const noexcept override { return false; }
    void abort() override {}
    void kill() override {}
    int pid() const noexcept override { return 0; }

private:
    host::RunPage page_;
    std::function<void(End)> ended_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // loop thread only
    std::unique_ptr<host::DaemonChannel> channel_;
    std::jthread thread_;  // joined first
};

}  // namespace

std::unique_ptr<HostBody> start_thread_host(Loop& loop, const std::string& plugin) {
    return std::make_unique<ThreadHost>(loop, plugin);
}

}  // namespace sg::plugins
