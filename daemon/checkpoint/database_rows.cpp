// What the rows of the database hold, and their way in and out.
#include <sqlite3.h>

#include "checkpoint/database.hpp"
#include "checkpoint/row_sum.hpp"
#include "checkpoint/statement.hpp"

namespace sg::checkpoint {

namespace {

std::int64_t sum_of(EventId highest_seen) { return RowSum().add(highest_seen).value(); }

std::int64_t sum_of(std::string_view id, const Progress& row) {
    return RowSum().add(id).add(row.start).add(row.cursor).add(row.handed_out).value();
}

std::int64_t sum_of(const Pending& row, const std::string& history) {
    RowSum sum;
    sum.add(row.plugin)
        .add(row.event)
        .add(row.callback)
        .add(row.attempts)
        .add(row.due.time_since_epoch().count())
        .add(row.redelivered)
        .add(row.last_error)
        .add(row.type)
        .add(row.attribute)
        .add(row.project)
        .add(row.created_at.time_since_epoch().count())
        .add(row.body);
    if (!history.empty()) sum.add(history);  // rows of the first layout had none
    return sum.value();
}

std::int64_t sum_of(const DeadLetter& row, const std::string& history) {
    return RowSum()
        .add(row.plugin)
        .add(row.event)
        .add(row.callback)
        .add(row.attempts)
        .add(row.died.time_since_epoch().count())
        .add(row.why)
        .add(row.redelivered)
        .add(row.type)
        .add(row.attribute)
        .add(row.project)
        .add(row.created_at.time_since_epoch().count())
        .add(row.body)
        .add(history)
        .value();
}

std::string history_text(const History& history) {
    if (history.empty()) return {};
    // What plugins throw may be no UTF-8.
    return to_json(history).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool read_history(const std::string& text, History& into) {
    if (text.empty()) return true;
    auto read = history_from(nlohmann::json::parse(text, nullptr, false));
    if (read) into = std::move(*read);
    return read.has_value();
}

std::int64_t sum_of(const Gap& row) {
    return RowSum().add(row.first).add(row.last).add(row.deadline.time_since_epoch().count()).value();
}

std::int64_t sum_of(std::string_view plugin, const Paused& row) {
    return RowSum().add(plugin).add(row.since.time_since_epoch().count()).add(row.by).value();
}

Instant instant(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

}  // namespace

template <class Row>
Result<void> Database::each(const char* sql, Row&& row) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(connection_.get(), sql, -1, &raw, nullptr) != SQLITE_OK)
        return refused("cannot read");
    const StatementPtr owner(raw);
    Statement statement(raw);
    while (statement.step()) row(statement);
    if (!statement.is_done()) return refused("cannot read");
    return {};
}

Result<Snapshot> Database::load() {
    Snapshot out;
    bool sums_fit = true;
    auto done = each("SELECT highest_seen, sum FROM stream", [&](Statement& s) {
        out.highest_seen = s.number();
        sums_fit = sums_fit && s.number() == sum_of(*out.highest_seen);
    });
    if (done) done = each("SELECT clean FROM ending", [&](Statement& s) { out.clean = s.number() == 1; });
    if (done)
        done = each("SELECT id, start, cursor, handed_out_through, sum FROM plugin", [&](Statement& s) {
            auto id = s.text();
            Progress row;
            row.start = s.number();
            row.cursor = s.number();
            row.handed_out = s.number();
            sums_fit = sums_fit && s.number() == sum_of(id, row);
            out.plugins.emplace(std::move(id), row);
        });
    if (done) done = load_pending(out, sums_fit);
    const auto ranges = [&](std::vector<Gap>& into) {
        return [&](Statement& s) {
            Gap row;
            row.first = s.number();
            row.last = s.number();
            row.deadline = instant(s.number());
            sums_fit = sums_fit && s.number() == sum_of(row);
            into.push_back(row);
        };
    };
    if (done) done = each("SELECT first, last, deadline_ms, sum FROM gap ORDER BY first", ranges(out.gaps));
    if (done)
        done = each("SELECT first, last, deadline_ms, sum FROM watched ORDER BY first", ranges(out.watched));
    if (done) done = load_dead_letters(out, sums_fit);
    if (done) done = load_told("SELECT plugin, since_ms, by, sum FROM paused", out.paused, sums_fit);
    if (done) done = load_told("SELECT plugin, since_ms, by, sum FROM disabled", out.disabled, sums_fit);
    if (!done) return tl::unexpected(done.error());
    if (!sums_fit)
        return fail(Cause::bad_answer, "{} is damaged: a row does not fit its checksum", file_.string());
    return out;
}

Result<void> Database::load_pending(Snapshot& out, bool& sums_fit) {
    return each(
        "SELECT plugin, event, callback, attempts, due_ms, redelivered, last_error, type, attribute, "
        "project, created_at, body, sum, history FROM pending ORDER BY event, plugin, callback",
        [&](Statement& s) {
            Pending row;
            row.plugin = s.text();
            row.event = s.number();
            row.callback = s.text();
            row.attempts = static_cast<std::uint32_t>(s.number());
            row.due = instant(s.number());
            row.redelivered = s.number() != 0;
            row.last_error = s.text();
            row.type = s.text();
            row.attribute = s.text();
            row.project = s.number();
            row.created_at = std::chrono::sys_seconds(std::chrono::seconds(s.number()));
            row.body = s.text();
            const auto sum = s.number();
            const auto history = s.text();
            sums_fit = sums_fit && sum == sum_of(row, history) && read_history(history, row.history);
            out.pending.push_back(std::move(row));
        });
}

Result<void> Database::load_dead_letters(Snapshot& out, bool& sums_fit) {
    return each(
        "SELECT plugin, event, callback, attempts, died_ms, why, redelivered, type, attribute, project, "
        "created_at, body, history, sum FROM dead_letter ORDER BY died_ms, event, plugin, callback",
        [&](Statement& s) {
            DeadLetter row;
            row.plugin = s.text();
            row.event = s.number();
            row.callback = s.text();
            row.attempts = static_cast<std::uint32_t>(s.number());
            row.died = instant(s.number());
            row.why = s.text();
            row.redelivered = s.number() != 0;
            row.type = s.text();
            row.attribute = s.text();
            row.project = s.number();
            row.created_at = std::chrono::sys_seconds(std::chrono::seconds(s.number()));
            row.body = s.text();
            const auto history = s.text();
            sums_fit = sums_fit && s.number() == sum_of(row, history) && read_history(history, row.history);
            out.dead_letters.push_back(std::make_shared<const DeadLetter>(std::move(row)));
        });
}

/// What plugins were told by somebody: to be paused, or disabled.
Result<void> Database::load_told(const char* sql, std::map<std::string, Paused>& out, bool& sums_fit) {
    return each(sql, [&](Statement& s) {
        auto plugin = s.text();
        Paused row;
        row.since = instant(s.number());
        row.by = s.text();
        sums_fit = sums_fit && s.number() == sum_of(plugin, row);
        out.emplace(std::move(plugin), std::move(row));
    });
}

Result<void> Database::write(const Batch& batch) {
    const auto run = [this](Statement& statement) -> Result<void> {
        statement.step();
        if (!statement.is_done()) return refused("cannot write");
        return {};
    };
    if (batch.highest_seen_) {
        Statement s(put_seen_.get());
        s.bind(*batch.highest_seen_).bind(sum_of(*batch.highest_seen_));
        if (auto done = run(s); !done) return done;
    }
    for (const auto& [plugin, row] : batch.progress_) {
        Statement s(put_progress_.get());
        s.bind(plugin).bind(row.start).bind(row.cursor).bind(row.handed_out).bind(sum_of(plugin, row));
        if (auto done = run(s); !done) return done;
    }
    const auto ranges = [&](const auto& rows, sqlite3_stmt* put, sqlite3_stmt* erase) -> Result<void> {
        for (const auto& [first, row] : rows) {
            Statement s(row ? put : erase);
            s.bind(first);
            if (row) s.bind(row->last).bind(row->deadline.time_since_epoch().count()).bind(sum_of(*row));
            if (auto done = run(s); !done) return done;
        }
        return {};
    };
    if (auto done = ranges(batch.gaps_, put_gap_.get(), erase_gap_.get()); !done) return done;
    if (auto done = ranges(batch.watched_, put_watched_.get(), erase_watched_.get()); !done) return done;
    if (auto done = write_pending(batch); !done) return done;
    if (auto done = write_dead_letters(batch); !done) return done;
    if (auto done = write_told(batch.paused_, put_paused_.get(), erase_paused_.get()); !done) return done;
    return write_told(batch.disabled_, put_disabled_.get(), erase_disabled_.get());
}

Result<void> Database::write_pending(const Batch& batch) {
    for (const auto& [key, row] : batch.pending_) {
        const auto history = row ? history_text(row->history) : std::string();
        Statement s(row ? put_pending_.get() : erase_pending_.get());
        s.bind(key.plugin).bind(key.event).bind(key.callback);
        if (row)
            s.bind(row->attempts)
                .bind(row->due.time_since_epoch().count())
                .bind(row->redelivered)
                .bind(row->last_error)
                .bind(row->type)
                .bind(row->attribute)
                .bind(row->project)
                .bind(row->created_at.time_since_epoch().count())
                .bind(row->body)
                .bind(sum_of(*row, history))
                .bind(history);
        s.step();
        if (!s.is_done()) return refused("cannot write");
    }
    return {};
}

Result<void> Database::write_dead_letters(const Batch& batch) {
    for (const auto& [key, letter] : batch.dead_letters_) {
        const auto* row = letter ? letter->get() : nullptr;
        const auto history = row != nullptr ? history_text(row->history) : std::string();
        Statement s(row != nullptr ? put_dead_letter_.get() : erase_dead_letter_.get());
        s.bind(key.plugin).bind(key.event).bind(key.callback);
        if (row != nullptr)
            s.bind(row->attempts)
                .bind(row->died.time_since_epoch().count())
                .bind(row->why)
                .bind(row->redelivered)
                .bind(row->type)
                .bind(row->attribute)
                .bind(row->project)
                .bind(row->created_at.time_since_epoch().count())
                .bind(row->body)
                .bind(history)
                .bind(sum_of(*row, history));
        s.step();
        if (!s.is_done()) return refused("cannot write");
    }
    return {};
}

Result<void> Database::write_told(const std::map<std::string, std::optional<Paused>>& rows, sqlite3_stmt* put,
                                  sqlite3_stmt* erase) {
    for (const auto& [plugin, row] : rows) {
        Statement s(row ? put : erase);
        s.bind(plugin);
        if (row) s.bind(row->since.time_since_epoch().count()).bind(row->by).bind(sum_of(plugin, *row));
        s.step();
        if (!s.is_done()) return refused("cannot write");
    }
    return {};
}

Batch Database::whole(const Snapshot& snapshot) {
    Batch out;
    if (snapshot.highest_seen) out.set_highest_seen(*snapshot.highest_seen);
    for (const auto& [plugin, row] : snapshot.plugins) out.set_progress(plugin, row);
    for (const auto& row : snapshot.pending) out.put_pending(row);
    for (const auto& gap : snapshot.gaps) out.put_gap(gap);
    for (const auto& range : snapshot.watched) out.put_watched(range);
    for (const auto& letter : snapshot.dead_letters) out.put_dead_letter(letter);
    for (const auto& [plugin, row] : snapshot.paused) out.set_paused(plugin, row);
    for (const auto& [plugin, row] : snapshot.disabled) out.set_disabled(plugin, row);
    return out;
}

void Database::fold(Batch& everything, Batch&& newer) {
    if (newer.highest_seen_) everything.highest_seen_ = newer.highest_seen_;
    for (auto& [plugin, row] : newer.progress_) everything.progress_.insert_or_assign(plugin, row);
    const auto each = [](auto& rows, auto& changes) {
        for (auto& [key, row] : changes) {
            if (row) {
                rows.insert_or_assign(key, std::move(row));
            } else {
                rows.erase(key);
            }
        }
    };
    each(everything.pending_, newer.pending_);
    each(everything.gaps_, newer.gaps_);
    each(everything.watched_, newer.watched_);
    each(everything.dead_letters_, newer.dead_letters_);
    each(everything.paused_, newer.paused_);
    each(everything.disabled_, newer.disabled_);
    newer = Batch();
}

}  // namespace sg::checkpoint
