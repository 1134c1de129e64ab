#pragma once
// How many events have been given up, and how many more may be.

#include <deque>
#include <map>
#include <memory>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "checkpoint/store.hpp"
#include "dispatch/settings.hpp"

namespace sg::dispatch {

/// Bounds the dead letters of each plugin and of all together. No plugin's letters push out another's.
///
/// Threads: the loop's thread only.
class DeadLetters {
public:
    DeadLetters(const DeadLetterLimits& limits, const checkpoint::Snapshot& known, Logger& log);

    /// Puts the letter into `batch`, in place of one of the same event and callback, and of the plugin's
    /// oldest where there is no room and that was chosen. False: there is no room, and nothing was done.
    bool add(checkpoint::DeadLetter letter, checkpoint::Batch& batch);

    std::size_t count(const std::string& plugin) const;

    /// All there are, by plugin, the oldest first. Made anew only after a change.
    std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> all() const;

    /// No longer counts those that are chosen, and returns them; what is stored is the caller's.
    std::vector<checkpoint::DeadLetterPtr> take(const checkpoint::LetterChoice& choice);

private:
    struct Shelf {
        std::deque<checkpoint::DeadLetterPtr> letters;  // the oldest first
        bool told_filling = false, told_full = false;
        std::uint64_t dropped = 0;
    };
    bool fits(const Shelf& shelf, std::size_t bytes) const;
    bool make_room(const std::string& plugin, Shelf& shelf, std::size_t bytes, checkpoint::Batch& batch);
    bool is_filling(const Shelf& shelf) const;
    void tell(const std::string& plugin, Shelf& shelf);

    const DeadLetterLimits limits_;
    Logger& log_;
    std::map<std::string, Shelf> shelves_;                                       // by plugin
    std::size_t bytes_ = 0;                                                      // of all
    mutable std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> all_;  // null: has to be made
};

}  // namespace sg::dispatch
