// Rows of the state file: those it wrote itself come back as they were, whatever they hold; those that
// something else wrote are refused or read, and do no harm.

#include <fuzzer/FuzzedDataProvider.h>
#include <sqlite3.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "checkpoint/database.hpp"
#include "fuzz/fuzz.hpp"

using namespace sg;
using namespace sg::checkpoint;

namespace {

/// One file in memory for all runs: emptied each time.
const std::filesystem::path& file() {
    static const std::filesystem::path path = "/dev/shm/sgeventd-fuzz-" + std::to_string(::getpid()) + ".db";
    static const int removed_at_exit = std::atexit([] {
        for (const char* end : {"", "-wal", "-shm"}) ::unlink((file().string() + end).c_str());
    });
    (void)removed_at_exit;
    return path;
}

class Raw {
public:
    Raw() {
        sqlite3* raw = nullptr;
        SG_MUST(sqlite3_open_v2(file().c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
        connection_.reset(raw);
        run("PRAGMA synchronous=OFF");
    }
    void run(const char* sql) { sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr); }

    /// A row of `columns` values, each of any type; what a constraint forbids is not there.
    void insert(const char* sql, int columns, FuzzedDataProvider& from) {
        sqlite3_stmt* statement = nullptr;
        SG_MUST(sqlite3_prepare_v2(connection_.get(), sql, -1, &statement, nullptr) == SQLITE_OK);
        for (int i = 1; i <= columns; ++i) {
            const auto kind = from.ConsumeIntegralInRange(0, 4);
            if (kind == 0) sqlite3_bind_double(statement, i, from.ConsumeFloatingPoint<double>());
            if (kind == 1) sqlite3_bind_int64(statement, i, from.ConsumeIntegral<std::int64_t>());
            if (kind == 2 || kind == 3) {
                const auto bytes = from.ConsumeRandomLengthString(40);
                const auto size = static_cast<int>(bytes.size());
                if (kind == 2) sqlite3_bind_text(statement, i, bytes.data(), size, SQLITE_TRANSIENT);
                if (kind == 3) sqlite3_bind_blob(statement, i, bytes.data(), size, SQLITE_TRANSIENT);
            }
        }
        sqlite3_step(statement);
        sqlite3_finalize(statement);
    }

private:
    struct Closer {
        void operator()(sqlite3* connection) const { sqlite3_close(connection); }
    };
    std::unique_ptr<sqlite3, Closer> connection_;
};

void scribble(FuzzedDataProvider& from) {
    Raw raw;
    while (from.remaining_bytes() > 0) {
        switch (from.ConsumeIntegralInRange(0, 5)) {
            case 0:
                raw.insert("INSERT OR REPLACE INTO stream VALUES(1,?,?)", 2, from);
                break;
            case 1:
                raw.insert("INSERT OR REPLACE INTO plugin VALUES(?,?,?,?,?)", 5, from);
                break;
            case 2:
                raw.insert("INSERT OR REPLACE INTO pending VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", 14, from);
                break;
            case 3:
                raw.insert("INSERT OR REPLACE INTO dead_letter VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", 14,
                           from);
                break;
            case 4:
                raw.insert("INSERT OR REPLACE INTO gap VALUES(?,?,?,?)", 4, from);
                break;
            default:
                raw.insert("INSERT OR REPLACE INTO ending VALUES(1,?)", 1, from);
        }
    }
}

std::string text(FuzzedDataProvider& from) { return from.ConsumeRandomLengthString(30); }
std::int64_t number(FuzzedDataProvider& from) { return from.ConsumeIntegral<std::int64_t>(); }
Instant instant(FuzzedDataProvider& from) { return Instant(std::chrono::milliseconds(number(from))); }

/// Text that JSON can hold: what is not UTF-8 never gets into a record.
std::string written_text(FuzzedDataProvider& from) {
    auto out = text(from);
    for (auto& c : out) c = static_cast<char>(c & 0x7F);
    return out;
}

History history(FuzzedDataProvider& from) {
    History out;
    out.excused = from.ConsumeIntegralInRange(0u, 3u);
    out.crashes = from.ConsumeIntegralInRange(0u, 3u);
    out.waited = std::chrono::milliseconds(from.ConsumeIntegralInRange(0, 1'000'000));
    out.trace = written_text(from);
    out.build = written_text(from);
    for (auto n = from.ConsumeIntegralInRange(0, 3); n > 0; --n) {
        CallError error;
        error.attempt = from.ConsumeIntegral<std::uint32_t>();
        error.at = Instant(std::chrono::milliseconds(from.ConsumeIntegral<std::int32_t>()));
        error.crashed = from.ConsumeBool();
        error.text = written_text(from);
        out.errors.push_back(std::move(error));
    }
    return out;
}

DeadLetterPtr letter(FuzzedDataProvider& from, EventId event) {
    DeadLetter out;
    out.plugin = text(from);
    out.event = event;
    out.callback = text(from);
    out.attempts = from.ConsumeIntegral<std::uint32_t>();
    out.died = instant(from);
    out.why = text(from);
    out.redelivered = from.ConsumeBool();
    out.type = text(from);
    out.project = number(from);
    out.body = text(from);
    out.history = history(from);
    return std::make_shared<const DeadLetter>(std::move(out));
}

Snapshot rows(FuzzedDataProvider& from) {
    Snapshot out;
    if (from.ConsumeBool()) out.highest_seen = number(from);
    for (auto n = from.ConsumeIntegralInRange(0, 3); n > 0; --n) {
        auto id = text(from);
        out.plugins[std::move(id)] = {number(from), number(from), number(from)};
    }
    for (auto n = from.ConsumeIntegralInRange(0, 3); n > 0; --n) {
        Pending row;
        row.plugin = text(from);
        row.event = n;
        row.callback = text(from);
        row.attempts = from.ConsumeIntegral<std::uint32_t>();
        row.due = instant(from);
        row.redelivered = from.ConsumeBool();
        row.last_error = text(from);
        row.type = text(from);
        row.attribute = text(from);
        row.project = number(from);
        row.created_at = std::chrono::sys_seconds(std::chrono::seconds(number(from)));
        row.body = text(from);
        row.history = history(from);
        out.pending.insert(out.pending.begin(), std::move(row));
    }
    for (auto n = from.ConsumeIntegralInRange(0, 3); n > 0; --n)
        out.gaps.insert(out.gaps.begin(), {n, number(from), instant(from)});
    for (auto n = from.ConsumeIntegralInRange(0, 2); n > 0; --n)
        out.dead_letters.insert(out.dead_letters.begin(), letter(from, n));
    return out;
}

void must_be_equal(const DeadLetter& a, const DeadLetter& b) {
    SG_MUST(a.plugin == b.plugin && a.event == b.event && a.callback == b.callback);
    SG_MUST(a.attempts == b.attempts && a.died == b.died && a.why == b.why && a.body == b.body);
    SG_MUST(a.redelivered == b.redelivered && a.type == b.type && a.project == b.project);
    SG_MUST(a.history == b.history);
}

void must_be_equal(const Snapshot& a, const Snapshot& b) {
    SG_MUST(a.highest_seen == b.highest_seen);
    SG_MUST(a.gaps == b.gaps);
    SG_MUST(a.plugins.size() == b.plugins.size());
    for (const auto& [id, row] : a.plugins) {
        const auto other = b.plugins.find(id);
        SG_MUST(other != b.plugins.end());
        SG_MUST(row.start == other->second.start && row.cursor == other->second.cursor);
        SG_MUST(row.handed_out == other->second.handed_out);
    }
    SG_MUST(a.pending.size() == b.pending.size());
    for (std::size_t i = 0; i < a.pending.size(); ++i) {
        const auto &one = a.pending[i], &other = b.pending[i];
        SG_MUST(one.plugin == other.plugin && one.event == other.event && one.callback == other.callback);
        SG_MUST(one.attempts == other.attempts && one.due == other.due && one.body == other.body);
        SG_MUST(one.redelivered == other.redelivered && one.last_error == other.last_error);
        SG_MUST(one.type == other.type && one.attribute == other.attribute);
        SG_MUST(one.project == other.project && one.created_at == other.created_at);
        SG_MUST(one.history == other.history);
    }
    SG_MUST(a.dead_letters.size() == b.dead_letters.size());
    for (const auto& one : a.dead_letters) {
        const auto same = [&](const auto& other) { return other->event == one->event; };
        const auto other = std::find_if(b.dead_letters.begin(), b.dead_letters.end(), same);
        SG_MUST(other != b.dead_letters.end());
        must_be_equal(*one, **other);
    }
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    FuzzedDataProvider from(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    static const bool made = [] {
        SG_MUST(Database::open(file(), Database::Fresh::allow));
        return true;
    }();
    (void)made;
    Raw().run(
        "DELETE FROM stream; DELETE FROM plugin; DELETE FROM pending; DELETE FROM gap; DELETE FROM "
        "dead_letter");
    const bool ours = from.ConsumeBool();
    Snapshot written;
    if (!ours) scribble(from);
    auto database = Database::open(file(), Database::Fresh::refuse);
    if (!database) return;
    if (ours) {
        written = rows(from);
        SG_MUST((*database)->save(Database::whole(written)));
    }
    const auto read = (*database)->load();
    if (!read) return SG_MUST(!ours);
    if (ours) must_be_equal(written, *read);
}
