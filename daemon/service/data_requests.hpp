#pragma once
// One data retriever for all plugins.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "retriever/data_retriever.hpp"
#include "service/plugin_connection.hpp"

namespace sg::service {

/// Works on what plugins ask of their data retrievers: one pool of workers and one cache for all. Plugins
/// take turns, however much one of them has queued; its own requests come best first. Requests are read on a
/// thread of its own, so nothing a plugin sends holds up the caller.
///
/// Threads:  any. `done` comes on that thread, on a worker, or on the one that ends it.
/// Lifetime: outlives its doors.
/// Errors:   `not_supported` for what is not known, and where files cannot be kept; `invalid` for arguments
/// that
///           make no sense; what the retriever says.
class DataRequestPool final : public host::DataRequests {
public:
    struct Options {
        retriever::FileCacheOptions cache;
        unsigned workers = 4;
    };

    /// `on_key` is told the keys that plugins bring.
    DataRequestPool(PluginAccess access, Options options,
                    std::function<void(const std::string&)> on_key = {});
    ~DataRequestPool();
    DataRequestPool(const DataRequestPool&) = delete;
    DataRequestPool& operator=(const DataRequestPool&) = delete;

    std::unique_ptr<Door> open(const std::string& plugin) override;

    TaskManager::Stats stats() const;

    /// Cancels everything, and what is still to come. Waits for the workers. Twice is the same as once.
    void shut_down();

private:
    class Line;
    class PluginDoor;
    class Requests;
    struct Shared;

    std::shared_ptr<Shared> shared_;
    std::unique_ptr<Line> reading_, ending_;  // threads: requests in their order; retrievers that are over
};

}  // namespace sg::service
