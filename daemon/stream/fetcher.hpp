#pragma once
// Queries on threads of their own.

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "stream/event_reader.hpp"
#include "stream/page_reader.hpp"
#include "util/loop.hpp"
#include "util/result.hpp"

namespace sg::stream {

/// What came back from one query.
struct Answer {
    event::PagePtr page;
    PageFacts facts;
    std::optional<UtcTime> date;
};

/// Fetches and reads pages: some threads for the live poll alone, the others for everything else.
/// Queued is what the caller submitted and has not had back; the stream bounds that by its own count.
///
/// Threads: the loop's. Lifetime: outlived by loop and reader.
class Fetcher {
public:
    enum class For { live, gaps, lanes };  ///< gaps go before lanes in the queue

    Fetcher(Loop& loop, EventReader& reader, std::size_t live, std::size_t others);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    /// Calls `done` on the loop, later, once; not after `stop`. A request to `cancel` makes it soon, most
    /// likely with `Cause::stopped`.
    void submit(For whom, EventQuery query, std::function<void(Result<Answer>)> done,
                std::stop_token cancel = {});

    /// Ends queries in flight and joins the threads. Blocks until the reader has obeyed.
    void stop();

private:
    class Shared;
    std::shared_ptr<Shared> shared_;  // what was posted to the loop may run after the fetcher is gone
};

}  // namespace sg::stream
