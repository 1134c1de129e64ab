#include "dispatch/dead_letters.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace sg::dispatch {

DeadLetters::DeadLetters(const DeadLetterLimits& limits, const checkpoint::Snapshot& known, Logger& log)
    : limits_(limits), log_(log) {
    for (const auto& letter : known.dead_letters) {
        shelves_[letter->plugin].letters.push_back(letter);
        bytes_ += letter->bytes();
    }
}

std::size_t DeadLetters::count(const std::string& plugin) const {
    const auto shelf = shelves_.find(plugin);
    return shelf == shelves_.end() ? 0 : shelf->second.letters.size();
}

std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> DeadLetters::all() const {
    if (!all_) {
        auto made = std::make_shared<std::vector<checkpoint::DeadLetterPtr>>();
        for (const auto& [plugin, shelf] : shelves_)
            made->insert(made->end(), shelf.letters.begin(), shelf.letters.end());
        all_ = std::move(made);
    }
    return all_;
}

std::vector<checkpoint::DeadLetterPtr> DeadLetters::take(const checkpoint::LetterChoice& choice) {
    std::vector<checkpoint::DeadLetterPtr> taken;
    for (auto& [plugin, shelf] : shelves_) {
        if (!choice.plugin.empty() && plugin != choice.plugin) continue;
        std::erase_if(shelf.letters, [&](const auto& letter) {
            if (!choice.matches(*letter)) return false;
            bytes_ -= letter->bytes();
            taken.push_back(letter);
            return true;
        });
    }
    if (!taken.empty()) all_.reset();
    for (auto& [plugin, shelf] : shelves_)
        if (!is_filling(shelf)) shelf.told_filling = shelf.told_full = false;
    return taken;
}

bool DeadLetters::fits(const Shelf& shelf, std::size_t bytes) const {
    return shelf.letters.size() < limits_.per_plugin && bytes_ + bytes <= limits_.bytes;
}

bool DeadLetters::make_room(const std::string& plugin, Shelf& shelf, std::size_t bytes,
                            checkpoint::Batch& batch) {
    if (limits_.when_full == WhenFull::hold) return false;
    while (!fits(shelf, bytes) && !shelf.letters.empty()) {
        const auto& oldest = *shelf.letters.front();
        batch.erase_dead_letter(plugin, oldest.event, oldest.callback);
        bytes_ -= oldest.bytes();
        shelf.letters.pop_front();
        ++shelf.dropped;
    }
    return fits(shelf, bytes);
}

bool DeadLetters::add(checkpoint::DeadLetter letter, checkpoint::Batch& batch) {
    const auto plugin = letter.plugin;
    all_.reset();
    take({plugin, letter.event, letter.callback});
    auto& shelf = shelves_[plugin];
    const auto bytes = letter.bytes();
    const bool has_room = fits(shelf, bytes);
    if (!has_room && !std::exchange(shelf.told_full, true))
        log_.error(
            "[DEAD-LETTERS-FULL] There is no room for more dead letters; {}. plugin={} letters={} limit={}",
            limits_.when_full == WhenFull::hold ? "what fails from now on is tried again without end"
                                                : "the plugin's oldest are dropped",
            plugin, shelf.letters.size(), limits_.per_plugin);
    if (!has_room && !make_room(plugin, shelf, bytes, batch)) return false;
    bytes_ += bytes;
    shelf.letters.push_back(std::make_shared<const checkpoint::DeadLetter>(std::move(letter)));
    batch.put_dead_letter(shelf.letters.back());
    tell(plugin, shelf);
    return true;
}

bool DeadLetters::is_filling(const Shelf& shelf) const {
    return shelf.letters.size() >= limits_.per_plugin / 5 * 4 || bytes_ >= limits_.bytes / 5 * 4;
}

void DeadLetters::tell(const std::string& plugin, Shelf& shelf) {
    if (!is_filling(shelf) || std::exchange(shelf.told_filling, true)) return;
    log_.warning(
        "[DEAD-LETTERS-FILLING] The room for dead letters is nearly used up: retry or drop some. plugin={} "
        "letters={} limit={}",
        plugin, shelf.letters.size(), limits_.per_plugin);
}

}  // namespace sg::dispatch
