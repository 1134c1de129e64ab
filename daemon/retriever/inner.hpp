#pragma once
// What a retriever and its requests have in common.

#include <atomic>
#include <functional>
#include <memory>
#include <sg/retriever.hpp>
#include <stop_token>

#include "retriever/connections.hpp"
#include "retriever/data_retriever.hpp"
#include "retriever/downloads.hpp"
#include "tasks/pool.hpp"

namespace sg::retriever {

/// How a request ends.
struct Ending {
    detail::Box value;  ///< a `Reply`
    std::shared_ptr<const TaskFailure> failure;
};
Ending completed(std::string type, nlohmann::json data);
Ending failed(const tasks::Task& request, const Failure& why);

/// Threads:  any.
/// Lifetime: shared by the retriever and by the requests and stages that are left of it.
struct Inner : std::enable_shared_from_this<Inner> {
    Inner(std::unique_ptr<SiteConnection> site, Options how, std::shared_ptr<tasks::Pool> on)
        : options(std::move(how)), pool(std::move(on)), connections(std::move(site)) {}

    const Options options;
    const std::shared_ptr<tasks::Pool> pool;
    Connections connections;
    const std::shared_ptr<tasks::Account> account = std::make_shared<tasks::Account>();
    const std::shared_ptr<tasks::Account> own_work = std::make_shared<tasks::Account>();  ///< cleaning
    std::stop_source closing;  ///< for those who wait on threads of their own
    std::atomic<bool> is_cleaning{false};

    FileCache& cache() const { return const_cast<FileCache&>(options.cache); }  // a handle
    Downloads& downloads() const { return options.cache.downloads(); }

    /// A request of one stage. `work` is called on a worker, and gone before the request ends.
    std::shared_ptr<tasks::Task> submit(
        int priority, std::string name,
        std::function<Ending(const tasks::Task& request, std::stop_token)> work);

    /// Cleans the cache when there is nothing else to do.
    void clean_later();
};

/// Fails the request when its stage takes too long, while it lives. On the stage's thread.
class TimeLimit {
public:
    TimeLimit(tasks::Task& stage, std::function<void(std::shared_ptr<const TaskFailure>)> late)
        : watch_(stage.stop_source.get_token(), [&stage, late = std::move(late)] {
              if (stage.failure) late(stage.failure);
          }) {}

private:
    std::stop_callback<std::function<void()>> watch_;
};

}  // namespace sg::retriever
