#include "sandbox/data_file_sql.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sg::sandbox {
namespace {

constexpr std::int64_t file_application = 0x53674462;  // tells this file from any other database
constexpr std::int64_t file_version = 2;

constexpr const char* tables = R"(
CREATE TABLE sequence(name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE document(name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE secret(kind TEXT NOT NULL, name TEXT NOT NULL, secret TEXT NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID;
CREATE TABLE entity(type TEXT NOT NULL, id INTEGER NOT NULL, retired INTEGER NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY(type, id)) WITHOUT ROWID;
CREATE TABLE event(id INTEGER PRIMARY KEY, event_type TEXT, attribute_name TEXT, meta TEXT,
  entity_type TEXT, entity_id INTEGER, entity_text TEXT, user_type TEXT, user_id INTEGER, user_text TEXT,
  project_type TEXT, project_id INTEGER, project_text TEXT,
  created_at INTEGER, session_uuid TEXT, description TEXT, hidden INTEGER NOT NULL);
)";

/// Since version 2.
constexpr const char* file_tables = R"(
CREATE TABLE IF NOT EXISTS file(attachment INTEGER PRIMARY KEY, name TEXT NOT NULL, content_type TEXT NOT NULL,
  etag TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS piece(attachment INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(attachment, at));
)";

[[noreturn]] void refuse_file(sqlite3* connection, const char* doing) {
    throw DataFileError(fmt::format("{}: {}", doing, ::sqlite3_errmsg(connection)));
}

}  // namespace

void Statement::End::operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }

Statement::Statement(sqlite3* connection, const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (::sqlite3_prepare_v2(connection, sql, -1, &made, nullptr) != SQLITE_OK)
        refuse_file(connection, "reading the data file");
    statement_.reset(made);
}

Statement& Statement::bind(std::int64_t value) {
    ::sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
}
Statement& Statement::bind(std::string_view text) {
    ::sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    return *this;
}
Statement& Statement::bind_bytes(std::string_view bytes) {
    ::sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
}
Statement& Statement::bind(std::nullopt_t) {
    ::sqlite3_bind_null(statement_.get(), ++bound_);
    return *this;
}

bool Statement::step() {
    const int got = ::sqlite3_step(statement_.get());
    if (got == SQLITE_ROW) return true;
    auto* connection = ::sqlite3_db_handle(statement_.get());
    const std::string why = got == SQLITE_DONE ? std::string() : ::sqlite3_errmsg(connection);
    ::sqlite3_reset(statement_.get());
    ::sqlite3_clear_bindings(statement_.get());
    bound_ = 0;
    if (got != SQLITE_DONE) throw DataFileError("the data file: " + why);
    return false;
}

std::int64_t Statement::number(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }
std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(::sqlite3_column_blob(statement_.get(), column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
}
bool Statement::null(int column) const {
    return ::sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void SqlFile::End::operator()(sqlite3* connection) const noexcept { ::sqlite3_close(connection); }

SqlFile::SqlFile(const std::filesystem::path& file) : file_(file) {
    // SQLite makes its files with the mode of the database, so the database is made first.
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) throw DataFileError(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    ::close(made);
    sqlite3* connection = nullptr;
    const int opened = ::sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr);
    connection_.reset(connection);
    try {
        if (opened != SQLITE_OK) refuse_file(connection, "opening");
        // What is not ours is not written to, not even its header; so the lock comes after the look.
        execute("PRAGMA locking_mode=EXCLUSIVE");
        const auto number = [&](const char* sql) {
            Statement ask(connection, sql);
            const auto value = ask.step() ? ask.number(0) : 0;
            while (ask.step()) {
            }
            return value;
        };
        const auto is = number("PRAGMA application_id");
        const auto things = number("SELECT count(*) FROM sqlite_master");
        if (is != file_application && (is != 0 || things != 0))
            throw DataFileError("it is not a data file of the sandbox");
        if (is == file_application && number("PRAGMA user_version") > file_version)
            throw DataFileError("it was written by a later version");
        execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
        execute("BEGIN IMMEDIATE");  // ours alone from here on
        if (things == 0) execute(tables);
        execute(file_tables);
        execute(
            fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", file_application, file_version)
                .c_str());
        execute("COMMIT");
    } catch (const DataFileError& why) {
        throw DataFileError(fmt::format("data file {}: {}", file.string(), why.what()));
    }
}

void SqlFile::execute(const char* sql) {
    if (::sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        refuse_file(connection_.get(), "the data file");
}

}  // namespace sg::sandbox
