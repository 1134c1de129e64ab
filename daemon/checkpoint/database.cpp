#include "checkpoint/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstring>

#include "checkpoint/statement.hpp"
#include "util/fd.hpp"

namespace sg::checkpoint {

namespace {

constexpr int application_id = 0x53474556;  // 'SGEV'
constexpr int schema_version = 5;
constexpr int much_log = 1000;  // pages

// What is added comes last, so that a migrated table and a new one have their columns in one order.
constexpr const char* dead_letter_schema = R"sql(
CREATE TABLE dead_letter(plugin TEXT NOT NULL, event INTEGER NOT NULL, callback TEXT NOT NULL,
    attempts INTEGER NOT NULL, died_ms INTEGER NOT NULL, why TEXT NOT NULL, redelivered INTEGER NOT NULL,
    type TEXT NOT NULL, attribute TEXT NOT NULL, project INTEGER NOT NULL, created_at INTEGER NOT NULL,
    body TEXT NOT NULL, history TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(plugin, event, callback));
)sql";

constexpr const char* paused_schema = R"sql(
CREATE TABLE paused(plugin TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, by TEXT NOT NULL, sum INTEGER NOT NULL)
    WITHOUT ROWID;
)sql";

constexpr const char* disabled_schema = R"sql(
CREATE TABLE disabled(plugin TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, by TEXT NOT NULL, sum INTEGER NOT NULL)
    WITHOUT ROWID;
)sql";

constexpr const char* watched_schema = R"sql(
CREATE TABLE watched(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
    sum INTEGER NOT NULL);
)sql";

constexpr const char* schema = R"sql(
CREATE TABLE stream(one INTEGER PRIMARY KEY CHECK(one=1), highest_seen INTEGER NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE ending(one INTEGER PRIMARY KEY CHECK(one=1), clean INTEGER NOT NULL);
CREATE TABLE plugin(id TEXT PRIMARY KEY, start INTEGER NOT NULL, cursor INTEGER NOT NULL,
    handed_out_through INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pending(plugin TEXT NOT NULL, event INTEGER NOT NULL, callback TEXT NOT NULL,
    attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, redelivered INTEGER NOT NULL, last_error TEXT NOT NULL,
    type TEXT NOT NULL, attribute TEXT NOT NULL, project INTEGER NOT NULL, created_at INTEGER NOT NULL,
    body TEXT NOT NULL, sum INTEGER NOT NULL, history TEXT NOT NULL DEFAULT '',
    PRIMARY KEY(plugin, event, callback));
CREATE TABLE gap(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
    sum INTEGER NOT NULL);
INSERT INTO ending VALUES(1, 1);
)sql";

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
    if (auto checked = check(); !checked) return checked;
    return *version == schema_version ? Result<void>{} : migrate(*version);
}

Result<void> Database::make_schema() {
    const auto sql = fmt::format(
        "BEGIN IMMEDIATE; PRAGMA application_id={}; PRAGMA user_version={}; {} {} {} {} {} COMMIT;",
        application_id, schema_version, schema, dead_letter_schema, paused_schema, watched_schema,
        disabled_schema);
    if (auto made = execute(sql.c_str()); !made) return made;
    // Into the file itself: should the log be lost later, the file still says whose it is.
    return execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// One transaction: killed in it, the file is what it was. Rows of the old layout keep their checksums, since
/// an empty history adds nothing to one.
Result<void> Database::migrate(std::int64_t from) {
    if (from < 1) return fail(Cause::bad_answer, "{} has schema {}, which never was", file_.string(), from);
    std::string steps;
    if (from < 2)
        steps += std::string("ALTER TABLE pending ADD COLUMN history TEXT NOT NULL DEFAULT '';") +
                 dead_letter_schema;
    if (from < 3) steps += paused_schema;
    if (from < 4) steps += watched_schema;
    if (from < 5) steps += disabled_schema;
    const auto sql =
        fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version={}; COMMIT;", steps, schema_version);
    auto done = execute(sql.c_str());
    if (!done && sqlite3_get_autocommit(connection_.get()) == 0) (void)execute("ROLLBACK");
    return done;
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
        {put_pending_, "INSERT OR REPLACE INTO pending VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {erase_pending_, "DELETE FROM pending WHERE plugin=? AND event=? AND callback=?"},
        {put_gap_, "INSERT OR REPLACE INTO gap VALUES(?,?,?,?)"},
        {erase_gap_, "DELETE FROM gap WHERE first=?"},
        {put_watched_, "INSERT OR REPLACE INTO watched VALUES(?,?,?,?)"},
        {erase_watched_, "DELETE FROM watched WHERE first=?"},
        {put_dead_letter_, "INSERT OR REPLACE INTO dead_letter VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {erase_dead_letter_, "DELETE FROM dead_letter WHERE plugin=? AND event=? AND callback=?"},
        {put_paused_, "INSERT OR REPLACE INTO paused VALUES(?,?,?,?)"},
        {erase_paused_, "DELETE FROM paused WHERE plugin=?"},
        {put_disabled_, "INSERT OR REPLACE INTO disabled VALUES(?,?,?,?)"},
        {erase_disabled_, "DELETE FROM disabled WHERE plugin=?"},
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

Result<void> Database::set_clean(bool clean) {
    return execute(clean ? "UPDATE ending SET clean=1" : "UPDATE ending SET clean=0");
}

void Database::tidy() {
    const auto log = file_.string() + "-wal";
    struct stat there {};
    if (::stat(log.c_str(), &there) != 0 || there.st_size < off_t{much_log} * 4096) return;
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
    for (auto* statement :
         {&begin_, &commit_, &rollback_, &put_seen_, &put_progress_, &put_pending_, &erase_pending_,
          &put_gap_, &erase_gap_, &put_watched_, &erase_watched_, &put_dead_letter_, &erase_dead_letter_,
          &put_paused_, &erase_paused_, &put_disabled_, &erase_disabled_})
        statement->reset();
    connection_.reset();
}

}  // namespace sg::checkpoint
