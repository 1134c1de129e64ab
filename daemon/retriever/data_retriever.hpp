#pragma once
// How a retriever is made.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sg/retriever.hpp>
#include <span>

#include "retriever/file_cache.hpp"
#include "retriever/site_connection.hpp"
#include "tasks/task_manager.hpp"

namespace sg::tasks {
struct Share;
}

namespace sg::retriever {

/// What is higher comes first.
namespace priority {
inline constexpr int check_attachment = 55, check_thumbnail = 50, schema = 40, call = 30,
                     download_attachment = 25, download_thumbnail = 20, clean = -100;
}

struct Options {
    FileCache cache;             ///< who shares it shares downloads, too
    unsigned owned_threads = 1;  ///< of a task manager of its own
    tasks::Executor executor{};  ///< of that one
    std::shared_ptr<Clock> clock{};
    std::function<void(std::exception_ptr)> on_error{};

    /// Who has it in common has one part of the workers, as large as others' parts. Empty: no part of its
    /// own.
    std::shared_ptr<tasks::Share> share{};

    std::chrono::milliseconds stage_timeout{0};  ///< of each stage of a request, which then fails; 0: none

    /// What `Image::load` gives for the bytes of a file; on a worker. Empty: the bytes.
    std::function<nlohmann::json(std::span<const std::uint8_t>)> decode_image{};
};

/// `site` is only ever cloned. Without `shared` it makes a task manager of its own, not started; a shared one
/// it keeps alive, and starts with `start`.
///
/// Several owners of one manager and one cache each have a retriever: `clear` and `stop` reach its own
/// requests alone, while downloads are joined and priorities hold among all of them.
///
/// Throws `std::invalid_argument` for a manager that is not from `make_task_manager`.
/// Lifetime: destroying it is `stop()`. In work of its own that ends the process.
std::unique_ptr<DataRetriever> make_data_retriever(std::unique_ptr<SiteConnection> site, Options options,
                                                   std::shared_ptr<TaskManager> shared = nullptr);

}  // namespace sg::retriever
