#pragma once
// Answers what callbacks ask of the site.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/requests/requests.hpp"
#include "site/client.hpp"

namespace sg::service {

/// Who a request is made as: the script it brings, or the one it names; else the plugin's own;
/// else the default. What stands for none of these is refused.
struct Credentials {
    std::map<std::string, site::Caller> named;   ///< by the name in the configuration
    std::map<std::string, std::string> plugins;  ///< plugin to the name of its own credential
    std::optional<std::string> for_plugins;      ///< name of the one for plugins without their own

    /// Errors: `authentication`, naming what is missing.
    Result<site::Caller> resolve(const host::SiteRequest& request) const;
};

/// A fixed number of threads that make site calls on behalf of plugins, plugins taking turns: what one
/// plugin has queued delays another's request by one running call at most.
///
/// Threads:  any; `done` is called on a worker, on the thread that requested a stop, or inside `start`
///           where the request is refused at once. It may call `start`, and must not throw.
/// Lifetime: the destructor stops what runs, answers what waits with `stopped`, and joins.
/// Errors:   `busy` past the limits of what may wait; `not_supported` for an unknown method; what the
///           site client says.
class SiteRequestPool final : public host::SiteRequests {
public:
    struct Options {
        std::size_t threads = 8;
        std::size_t file_threads = 2;
        std::size_t waiting_per_plugin = 10'000;
        std::size_t bytes_per_plugin = std::size_t{64} << 20;  ///< of arguments that wait; one always may
        bool pass_session_uuid = true;
    };

    SiteRequestPool(site::Client& client, Credentials credentials, Options options, Logger& log);
    ~SiteRequestPool();
    SiteRequestPool(const SiteRequestPool&) = delete;
    SiteRequestPool& operator=(const SiteRequestPool&) = delete;

    void start(host::SiteRequest request, std::stop_token stop,
               std::function<void(host::SiteAnswer)> done) override;

    /// Ends what runs and answers what waits with `stopped`; further requests likewise. Waits for the
    /// workers. Twice is the same as once.
    void shut_down();

private:
    class Queue;
    struct Item;

    host::SiteAnswer answer(Item& item, std::stop_token worker_stop);

    site::Client& client_;
    Credentials credentials_;
    Options options_;
    Logger& log_;
    void work(Queue& queue, const std::string& thread_name);

    std::unique_ptr<Queue> calls_, files_;
    std::vector<std::jthread> workers_;
};

}  // namespace sg::service
