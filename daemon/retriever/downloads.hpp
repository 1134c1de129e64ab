#pragma once
// Equal downloads are made once.

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <sg/pending.hpp>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "util/result.hpp"

namespace sg {
struct TaskFailure;
}

namespace sg::retriever {

struct Download;

/// What a download came to.
struct Outcome {
    Result<std::optional<std::filesystem::path>> file;  ///< nullopt: there is no such file
    std::shared_ptr<const TaskFailure> late{};          ///< it took longer than it may
};

/// Somebody who wants a file.
class Joiner {
public:
    virtual ~Joiner() = default;

    /// Hands in a stage that calls `Downloads::carry`, at that place in the queue; false: it has ended.
    virtual bool begin(std::shared_ptr<Download> download, Uid place) = 0;

    virtual Result<std::optional<std::filesystem::path>> fetch(std::stop_token stop) = 0;

    /// Once, on the thread that fetched, unless it has left before.
    virtual void finish(const Outcome& outcome) = 0;

    virtual Uid uid() const noexcept = 0;

private:
    friend class Downloads;
    std::shared_ptr<Download> download_;  // under the lock of the downloads
};

/// The downloads that are queued or under way, by what they fetch; shared by all who share a cache.
///
/// One who joins holds no thread. The first one's stage fetches for all; if that one leaves before, the next
/// one's does, at the first one's place. A download is stopped when all have left it.
///
/// Threads: any. What a joiner does is called without the lock.
class Downloads {
public:
    void join(const std::string& key, const std::shared_ptr<Joiner>& joiner);

    /// It does not want the file any more; nothing happens where it has not joined.
    void leave(Joiner& joiner);

    /// Fetches on this thread, or leaves it to somebody who does already. `finish` has been called, or will
    /// be.
    void join_here(const std::string& key, const std::shared_ptr<Joiner>& joiner);

    /// In a stage that was begun for `download`.
    void carry(const std::shared_ptr<Download>& download, Joiner& by);

    /// Whoever has joined has waited too long.
    void give_up(const std::shared_ptr<Download>& download, std::shared_ptr<const TaskFailure> late);

    std::size_t count() const;
    std::size_t joined() const;  ///< in all of them

private:
    void hand_on(const std::shared_ptr<Download>& download);
    void fetch(const std::shared_ptr<Download>& download, Joiner& by);
    void end(const std::shared_ptr<Download>& download, const Outcome& outcome);
    void forget(Download& download);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Download>> under_way_;
};

}  // namespace sg::retriever
