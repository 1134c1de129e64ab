#pragma once
// Where a host runs: what differs between a process and a thread, and nothing else.

#include <functional>
#include <memory>
#include <string>

#include "host/link/channel.hpp"
#include "host/link/run_page.hpp"
#include "host/link/shared_text.hpp"
#include "plugins/mapped.hpp"
#include "plugins/plugin_set.hpp"
#include "plugins/run_record.hpp"

namespace sg::plugins {

/// Loop thread only.
class HostBody {
public:
    /// How it ended.
    struct End {
        bool clean = false;                       ///< by itself, without an error
        std::string reason;                       ///< "killed by SIGSEGV", "exited with 3"
        std::string last_words;                   ///< the end of its standard error
        std::vector<StillMapped> still_mapped{};  ///< of the plugin, in the daemon
    };

    virtual ~HostBody() = default;

    virtual host::DaemonChannel& channel() = 0;
    virtual const host::RunPage& page() const = 0;

    /// The plugin has registered these; nothing was delivered before.
    virtual void name_callbacks(const std::vector<std::string>& /*names*/) {}

    /// Begins to tell how it ends: once, later; nothing of the host runs any more then.
    virtual void on_end(std::function<void(End)> ended) = 0;

    virtual bool can_be_killed() const noexcept = 0;
    virtual void abort() = 0;  ///< asks for a trace and the end
    virtual void kill() = 0;
    virtual int pid() const noexcept = 0;  ///< 0: a thread
};

/// A child process. Errors: `internal`, where the system refused.
struct ProcessPlan {
    std::filesystem::path program;
    std::string plugin;
    int lock_fd = -1;
    std::vector<std::string> environment;  ///< names of variables beside the usual
    const PluginSettings* settings = nullptr;
    Logger* log = nullptr;                     ///< gets what it writes to its standard output and error
    std::shared_ptr<host::SharedPages> pages;  ///< of all hosts
};
Result<std::unique_ptr<HostBody>> start_process_host(Loop& loop, const ProcessPlan& plan);

/// Threads of this process. `build` is the directory with the private copy of the plugin and its libraries,
/// which stays until the host has ended. `record` holds what it runs; null: nobody is to find it.
std::unique_ptr<HostBody> start_thread_host(Loop& loop, const std::string& plugin,
                                            std::filesystem::path build, std::unique_ptr<RunRecord> record);

}  // namespace sg::plugins
