#include "checkpoint/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstring>

#include "checkpoint/row_sum.hpp"
#include "util/fd.hpp"

namespace sg::checkpoint {

namespace {

constexpr int application_id = 0x53474556;  // 'SGEV'
constexpr int schema_version = 1;
constexpr int much_log = 1000;  // pages

constexpr const char* schema = R"sql(
CREATE TABLE stream(one INTEGER PRIMARY KEY CHECK(one=1), highest_seen INTEGER NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE ending(one INTEGER PRIMARY KEY CHECK(one=1), clean INTEGER NOT NULL);
CREATE TABLE plugin(id TEXT PRIMARY KEY, start INTEGER NOT NULL, cursor INTEGER NOT NULL,
    handed_out_through INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pending(plugin TEXT NOT NULL, event INTEGER NOT NULL, callback TEXT NOT NULL,
    attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, redelivered INTEGER NOT NULL, last_error TEXT NOT NULL,
    type TEXT NOT NULL, attribute TEXT NOT NULL, project INTEGER NOT NULL, created_at INTEGER NOT NULL,
    body TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(plugin, event, callback));
CREATE TABLE gap(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
    sum INTEGER NOT NULL);
INSERT INTO ending VALUES(1, 1);
)sql";

std::int64_t sum_of(EventId highest_seen) { return RowSum().add(highest_seen).value(); }

std::int64_t sum_of(std::string_view id, const Progress& row) {
    return RowSum().add(id).add(row.start).add(row.cursor).add(row.handed_out).value();
}

std::int64_t sum_of(const Pending& row) {
    return RowSum()
        .add(row.plugin)
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
        .add(row.body)
        .value();
}

std::int64_t sum_of(const Gap& row) {
    return RowSum().add(row.first).add(row.last).add(row.deadline.time_since_epoch().count()).value();
}

Instant instant(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

/// Our statements are fixed: where they do not fit the tables, the tables are wrong.
bool is_damage(int code) {
    switch (code & 0xFF) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_SCHEMA:
        case SQLITE_ERROR:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
            return true;
        default:
            return false;
    }
}

}  // namespace

/// Binds and reads by turns, in the order of the columns; resets itself.
class Database::Statement {
public:
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

    Statement& bind(std::integral auto value) {
        sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(value));
        return *this;
    }
    Statement& bind(std::string_view text) {
        // The text outlives the statement's run; an empty view may point nowhere, which would bind NULL.
        sqlite3_bind_text64(statement_, ++bound_, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                            SQLITE_UTF8);
        return *this;
    }

    bool step() {
        read_ = 0;
        code_ = sqlite3_step(statement_);
        return code_ == SQLITE_ROW;
    }
    bool is_done() const { return code_ == SQLITE_DONE; }

    std::int64_t number() { return sqlite3_column_int64(statement_, read_++); }
    std::string text() {
        const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, read_));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, read_++));
        return data == nullptr ? std::string() : std::string(data, size);
    }

private:
    sqlite3_stmt* statement_;
    int bound_ = 0;
    int read_ = 0;
    int code_ = SQLITE_OK;
};

void Database::Closer::operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }
void Database::Closer::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Database::~Database() = default;

tl::unexpected<Failure> Database::refused(const char* doing) const {
    auto* connection = connection_.get();
    const int code = sqlite3_extended_errcode(connection);
    return fail(is_damage(code) ? Cause::bad_answer : Cause::internal, "{} {}: {} (SQLite {})", doing,
                file_.string(), sqlite3_errmsg(connection), code);
}

Result<void> Database::execute(const char* sql) {
    if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return refused("cannot use");
    return {};
}

Result<std::int64_t> Database::number(const char* sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(connection_.get(), sql, -1, &raw, nullptr) != SQLITE_OK)
        return refused("cannot read");
    const StatementPtr owner(raw);
    Statement statement(raw);
    if (!statement.step()) return refused("cannot read");
    return statement.number();
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, Fresh fresh) {
    std::unique_ptr<Database> out(new Database(file));
    auto done = out->connect(fresh);
    if (done) done = out->prepare();
    if (!done) return tl::unexpected(done.error());
    return out;
}

Result<void> Database::connect(Fresh fresh) {
    struct stat before {};
    const bool there = ::stat(file_.c_str(), &before) == 0 && before.st_size > 0;
    if (!there && fresh == Fresh::refuse)
        return fail(
            Cause::bad_answer,
            "{} is missing or empty although this directory held state before. Put a copy of it back; or, "
            "to give up all positions and begin with the newest event, remove the directory",
            file_.string());
    {  // SQLite gives its other files the mode of this one.
        const UniqueFd made(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!made || ::fchmod(made.get(), 0600) != 0)
            return fail(Cause::permission, "cannot open {}: {}", file_.string(), std::strerror(errno));
    }
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(file_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
    connection_.reset(raw);
    if (code != SQLITE_OK) return refused("cannot open");
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 5000);
    // Whose file it is comes first: a stranger's is not even switched to another journal.
    const auto id = number("PRAGMA application_id"), version = number("PRAGMA user_version"),
               tables = number("SELECT count(*) FROM sqlite_master");
    for (const auto* read : {&id, &version, &tables})
        if (!*read) return tl::unexpected(read->error());
    const bool empty = *id == 0 && *version == 0 && *tables == 0;
    if (empty && fresh == Fresh::refuse)
        return fail(Cause::bad_answer, "{} holds nothing although this directory held state before",
                    file_.string());
    if (!empty && *id != application_id)
        return fail(Cause::bad_answer, "{} is a database of another program", file_.string());
    if (*version > schema_version)
        return fail(Cause::bad_answer, "{} was written by a newer version (schema {}, this one knows {})",
                    file_.string(), *version, schema_version);
    if (auto set = execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
                           "PRAGMA wal_autocheckpoint=4000;");
        !set)
        return set;
    if (empty) return make_schema();
    return check();
}

Result<void> Database::make_schema() {
    const auto sql =
        fmt::format("BEGIN IMMEDIATE; PRAGMA application_id={}; PRAGMA user_version={}; {} COMMIT;",
                    application_id, schema_version, schema);
    if (auto made = execute(sql.c_str()); !made) return made;
    // Into the file itself: should the log be lost later, the file still says whose it is.
    return execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<void> Database::check() {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(connection_.get(), "PRAGMA integrity_check(1)", -1, &raw, nullptr) != SQLITE_OK)
        return refused("cannot check");
    const StatementPtr owner(raw);
    Statement statement(raw);
    if (!statement.step()) return refused("cannot check");
    const auto verdict = statement.text();
    if (verdict != "ok") return fail(Cause::bad_answer, "{} is damaged: {}", file_.string(), verdict);
    return {};
}

Result<void> Database::prepare() {
    const struct {
        StatementPtr& into;
        const char* sql;
    } all[] = {
        {begin_, "BEGIN IMMEDIATE"},
        {commit_, "COMMIT"},
        {rollback_, "ROLLBACK"},
        {put_seen_, "INSERT OR REPLACE INTO stream VALUES(1,?,?)"},
        {put_progress_, "INSERT OR REPLACE INTO plugin VALUES(?,?,?,?,?)"},
        {put_pending_, "INSERT OR REPLACE INTO pending VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {erase_pending_, "DELETE FROM pending WHERE plugin=? AND event=? AND callback=?"},
        {put_gap_, "INSERT OR REPLACE INTO gap VALUES(?,?,?,?)"},
        {erase_gap_, "DELETE FROM gap WHERE first=?"},
    };
    for (const auto& [into, sql] : all) {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
            SQLITE_OK) {
            // Right application, wrong tables: an error in SQL is damage here, not a slip of ours.
            return fail(Cause::bad_answer, "{} lacks what it should hold: {}", file_.string(),
                        sqlite3_errmsg(connection_.get()));
        }
        into.reset(raw);
    }
    remember_files();
    return {};
}

Result<Snapshot> Database::load() {
    Snapshot out;
    bool sums_fit = true;
    const auto each = [this](const char* sql, auto&& row) -> Result<void> {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(connection_.get(), sql, -1, &raw, nullptr) != SQLITE_OK)
            return refused("cannot read");
        const StatementPtr owner(raw);
        Statement statement(raw);
        while (statement.step()) row(statement);
        if (!statement.is_done()) return refused("cannot read");
        return {};
    };
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
    if (done)
        done = each(
            "SELECT plugin, event, callback, attempts, due_ms, redelivered, last_error, type, attribute, "
            "project,"
            " created_at, body, sum FROM pending ORDER BY event, plugin, callback",
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
                sums_fit = sums_fit && s.number() == sum_of(row);
                out.pending.push_back(std::move(row));
            });
    if (done)
        done = each("SELECT first, last, deadline_ms, sum FROM gap ORDER BY first", [&](Statement& s) {
            Gap row;
            row.first = s.number();
            row.last = s.number();
            row.deadline = instant(s.number());
            sums_fit = sums_fit && s.number() == sum_of(row);
            out.gaps.push_back(row);
        });
    if (!done) return tl::unexpected(done.error());
    if (!sums_fit)
        return fail(Cause::bad_answer, "{} is damaged: a row does not fit its checksum", file_.string());
    return out;
}

Result<void> Database::save(const Batch& batch) {
    if (!Statement(begin_.get()).step() && sqlite3_errcode(connection_.get()) != SQLITE_DONE)
        return refused("cannot write");
    auto written = write(batch);
    if (written) {
        Statement commit(commit_.get());
        commit.step();
        if (!commit.is_done()) written = refused("cannot write");
    }
    // Some errors end the transaction by themselves, others leave it open.
    if (!written && sqlite3_get_autocommit(connection_.get()) == 0) Statement(rollback_.get()).step();
    return written;
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
    for (const auto& [first, row] : batch.gaps_) {
        Statement s(row ? put_gap_.get() : erase_gap_.get());
        s.bind(first);
        if (row) s.bind(row->last).bind(row->deadline.time_since_epoch().count()).bind(sum_of(*row));
        if (auto done = run(s); !done) return done;
    }
    return write_pending(batch);
}

Result<void> Database::write_pending(const Batch& batch) {
    for (const auto& [key, row] : batch.pending_) {
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
                .bind(sum_of(*row));
        s.step();
        if (!s.is_done()) return refused("cannot write");
    }
    return {};
}

Result<void> Database::set_clean(bool clean) {
    return execute(clean ? "UPDATE ending SET clean=1" : "UPDATE ending SET clean=0");
}

void Database::tidy() {
    const auto log = file_.string() + "-wal";
    struct stat there {};
    if (::stat(log.c_str(), &there) != 0 || there.st_size < much_log * 4096) return;
    sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Database::remember_files() {
    struct stat there {};
    if (::stat(file_.c_str(), &there) == 0) main_ = {there.st_dev, there.st_ino};
    if (::stat((file_.string() + "-wal").c_str(), &there) == 0) log_ = {there.st_dev, there.st_ino};
}

bool Database::is_intact() const {
    struct stat there {};
    const auto same = [&there](const std::string& file, const FileId& known) {
        return ::stat(file.c_str(), &there) == 0 && there.st_dev == known.device &&
               there.st_ino == known.inode;
    };
    return same(file_.string(), main_) && (log_.inode == 0 || same(file_.string() + "-wal", log_));
}

void Database::abandon() {
    // Closing in order would fold the log into the file and then remove, by name, what may be another's.
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    for (auto* statement : {&begin_, &commit_, &rollback_, &put_seen_, &put_progress_, &put_pending_,
                            &erase_pending_, &put_gap_, &erase_gap_})
        statement->reset();
    connection_.reset();
}

Batch Database::whole(const Snapshot& snapshot) {
    Batch out;
    if (snapshot.highest_seen) out.set_highest_seen(*snapshot.highest_seen);
    for (const auto& [plugin, row] : snapshot.plugins) out.set_progress(plugin, row);
    for (const auto& row : snapshot.pending) out.put_pending(row);
    for (const auto& gap : snapshot.gaps) out.put_gap(gap);
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
    newer = Batch();
}

}  // namespace sg::checkpoint
