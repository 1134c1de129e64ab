// What a batch holds, and which of two changes to one row stays.
#include "checkpoint/store.hpp"

namespace sg::checkpoint {

void Batch::set_highest_seen(EventId id) { highest_seen_ = id; }

void Batch::set_progress(std::string plugin, Progress progress) {
    progress_.insert_or_assign(std::move(plugin), progress);
}

void Batch::put_pending(Pending row) {
    PendingKey key{row.plugin, row.event, row.callback};
    pending_.insert_or_assign(std::move(key), std::move(row));
}

void Batch::erase_pending(std::string plugin, EventId event, std::string callback) {
    pending_.insert_or_assign(PendingKey{std::move(plugin), event, std::move(callback)}, std::nullopt);
}

void Batch::put_gap(Gap gap) { gaps_.insert_or_assign(gap.first, gap); }

void Batch::erase_gap(EventId first) { gaps_.insert_or_assign(first, std::nullopt); }

void Batch::put_watched(Watched range) { watched_.insert_or_assign(range.first, range); }

void Batch::erase_watched(EventId first) { watched_.insert_or_assign(first, std::nullopt); }

void Batch::put_dead_letter(DeadLetterPtr letter) {
    PendingKey key{letter->plugin, letter->event, letter->callback};
    dead_letters_.insert_or_assign(std::move(key), std::move(letter));
}

void Batch::erase_dead_letter(std::string plugin, EventId event, std::string callback) {
    dead_letters_.insert_or_assign(PendingKey{std::move(plugin), event, std::move(callback)}, std::nullopt);
}

void Batch::set_paused(std::string plugin, std::optional<Paused> paused) {
    paused_.insert_or_assign(std::move(plugin), std::move(paused));
}
void Batch::set_disabled(std::string plugin, std::optional<Disabled> disabled) {
    disabled_.insert_or_assign(std::move(plugin), std::move(disabled));
}

Pending to_try_again(const DeadLetter& letter, Instant due) {
    Pending row;
    row.plugin = letter.plugin;
    row.event = letter.event;
    row.callback = letter.callback;
    row.attempts = letter.attempts;
    row.due = due;
    if (!letter.history.errors.empty()) row.last_error = letter.history.errors.back().text;
    row.body = letter.body;
    row.redelivered = true;  // it was handed out before, and perhaps did half of its work
    row.type = letter.type;
    row.attribute = letter.attribute;
    row.project = letter.project;
    row.created_at = letter.created_at;
    row.history = letter.history;
    row.history.excused = letter.attempts;
    row.history.crashes = 0;
    row.history.waited = {};
    return row;
}

void Batch::try_again(const DeadLetter& letter, Instant due) {
    put_pending(to_try_again(letter, due));
    erase_dead_letter(letter.plugin, letter.event, letter.callback);
}

bool Batch::empty() const noexcept { return size() == 0; }

std::size_t Batch::size() const noexcept {
    return (highest_seen_ ? 1U : 0U) + progress_.size() + pending_.size() + gaps_.size() + watched_.size() +
           dead_letters_.size() + paused_.size() + disabled_.size();
}

void Batch::merge(Batch&& newer) {
    if (empty()) {
        *this = std::move(newer);
        newer = Batch();
        return;
    }
    if (newer.highest_seen_) highest_seen_ = newer.highest_seen_;
    for (auto& [plugin, progress] : newer.progress_) progress_.insert_or_assign(plugin, progress);
    for (auto& [key, row] : newer.pending_) pending_.insert_or_assign(key, std::move(row));
    for (auto& [first, gap] : newer.gaps_) gaps_.insert_or_assign(first, gap);
    for (auto& [first, range] : newer.watched_) watched_.insert_or_assign(first, range);
    for (auto& [key, letter] : newer.dead_letters_) dead_letters_.insert_or_assign(key, std::move(letter));
    for (auto& [plugin, row] : newer.paused_) paused_.insert_or_assign(plugin, std::move(row));
    for (auto& [plugin, row] : newer.disabled_) disabled_.insert_or_assign(plugin, std::move(row));
    newer = Batch();
}

}  // namespace sg::checkpoint
