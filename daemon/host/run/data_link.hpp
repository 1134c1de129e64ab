#pragma once
// Requests of the data retriever between a host and the daemon.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sg/retriever.hpp>
#include <thread>
#include <utility>
#include <variant>

#include "host/link/channel.hpp"
#include "host/run/link_turn.hpp"
#include "tasks/pool.hpp"

namespace sg::host {

/// Sends requests and ends them by what comes back, on a thread of its own: whoever asks never waits for the
/// link, and the link's thread never for an answer to be read.
///
/// A request is one of the pool's. What the daemon may not be asked yet waits here, best first.
///
/// Threads:  any, but `end`.
/// Lifetime: owned by a shared pointer; `end` comes before the last of them goes.
class DataLink : public std::enable_shared_from_this<DataLink> {
public:
    using TaskPtr = std::shared_ptr<tasks::Task>;

    DataLink(HostChannel& channel, LinkTurn& turn, std::shared_ptr<tasks::Pool> pool);
    DataLink(const DataLink&) = delete;
    DataLink& operator=(const DataLink&) = delete;

    /// `request` is open and has no stage. Its answer ends it; if it ends otherwise, the daemon is told.
    void send(const TaskPtr& request, AskData ask, int priority, Image image);

    void take(DataAnswer answer);
    void take(DataCleared cleared);

    /// Cancels what the daemon does not work on yet; how many that was. Waits for the daemon.
    std::size_t clear();

    /// Nobody waits for the daemon any more: what is not ended is stopped, and so is what is still to come.
    void close();

    /// Waits for the thread.
    void end();

private:
    using Place = std::pair<int, std::uint64_t>;  // in the line: what is lower goes first
    struct Open {
        TaskPtr request;
        Image image;
        Place place;
        std::size_t bytes = 0;
        bool is_sent = false;
    };

    void run(const std::stop_token& stop);
    bool has_room() const;
    void send_next(std::unique_lock<std::mutex>& lock);
    void end(DataAnswer answer);
    void end(tasks::Task& request, Image image, const std::string& text);
    void on_end(std::uint64_t id);
    void forget(const Open& open);
    void fail_with(tasks::Task& request, const Failure& why);

    HostChannel& channel_;
    LinkTurn& turn_;
    const std::shared_ptr<tasks::Pool> pool_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::uint64_t, Open> open_;  // by uid
    std::map<Place, AskData> line_;       // not sent yet
    std::deque<std::variant<DataAnswer, DataCleared>> came_;
    std::deque<FromHost> control_;  // stops and clearings, which go before what is in the line
    std::size_t asked_ = 0, asked_bytes_ = 0;
    std::uint64_t last_clearing_ = 0;
    std::map<std::uint64_t, std::optional<std::size_t>> clearings_;
    bool closed_ = false;
    std::jthread thread_;
};

}  // namespace sg::host
