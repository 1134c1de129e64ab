#include "dispatch/dead_letters.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace sg::dispatch {

DeadLetters::DeadLetters(const DeadLetterLimits& limits, const checkpoint::Snapshot& known, Logger& log)
    : limits_(limits), log_(log) {
    for (const auto& letter : known.dead_letters) {
        shelves_[letter->plugin].entries.push_back({letter->event, letter->callback, letter->bytes()});
        bytes_ += letter->bytes();
    }
}

std::size_t DeadLetters::count(const std::string& plugin) const {
    const auto shelf = shelves_.find(plugin);
    return shelf == shelves_.end() ? 0 : shelf->second.entries.size();
}

bool DeadLetters::fits(const Shelf& shelf, std::size_t bytes) const {
    return shelf.entries.size() < limits_.per_plugin && bytes_ + bytes <= limits_.bytes;
}

void DeadLetters::forget(Shelf& shelf, EventId event, const std::string& callback) {
    std::erase_if(shelf.entries, [&](const Entry& entry) {
        if (entry.event != event || entry.callback != callback) return false;
        bytes_ -= entry.bytes;
        return true;
    });
}

bool DeadLetters::make_room(const std::string& plugin, Shelf& shelf, std::size_t bytes,
                            checkpoint::Batch& batch) {
    if (limits_.when_full == WhenFull::hold) return false;
    while (!fits(shelf, bytes) && !shelf.entries.empty()) {
        const auto& oldest = shelf.entries.front();
        batch.erase_dead_letter(plugin, oldest.event, oldest.callback);
        bytes_ -= oldest.bytes;
        shelf.entries.pop_front();
        ++shelf.dropped;
    }
    return fits(shelf, bytes);
}

bool DeadLetters::add(checkpoint::DeadLetter letter, checkpoint::Batch& batch) {
    const auto plugin = letter.plugin;
    auto& shelf = shelves_[plugin];
    forget(shelf, letter.event, letter.callback);
    const auto bytes = letter.bytes();
    const bool has_room = fits(shelf, bytes);
    if (!has_room && !std::exchange(shelf.told_full, true))
        log_.error(
            "[DEAD-LETTERS-FULL] There is no room for more dead letters; {}. plugin={} letters={} limit={}",
            limits_.when_full == WhenFull::hold ? "what fails from now on is tried again without end"
                                                : "the plugin's oldest are dropped",
            plugin, shelf.entries.size(), limits_.per_plugin);
    if (!has_room && !make_room(plugin, shelf, bytes, batch)) return false;
    shelf.entries.push_back({letter.event, letter.callback, bytes});
    bytes_ += bytes;
    batch.put_dead_letter(std::make_shared<const checkpoint::DeadLetter>(std::move(letter)));
    tell(plugin, shelf);
    return true;
}

void DeadLetters::tell(const std::string& plugin, Shelf& shelf) {
    const bool filling =
        shelf.entries.size() >= limits_.per_plugin / 5 * 4 || bytes_ >= limits_.bytes / 5 * 4;
    if (!filling || std::exchange(shelf.told_filling, true)) return;
    log_.warning(
        "[DEAD-LETTERS-FILLING] The room for dead letters is nearly used up: retry or drop some. plugin={} "
        "letters={} limit={}",
        plugin, shelf.entries.size(), limits_.per_plugin);
}

}  // namespace sg::dispatch
