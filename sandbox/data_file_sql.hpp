#pragma once
// The little of SQLite that the data file needs.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sg::sandbox {

/// The data file cannot be used; the text says why.
struct DataFileError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One prepared statement, with values by position. Throws `DataFileError`.
class Statement {
public:
    Statement(sqlite3* connection, const char* sql);

    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind(std::nullopt_t);
    Statement& bind_bytes(std::string_view bytes);
    /// Null where the pointer is.
    Statement& bind_text(const std::string* text) { return text ? bind(*text) : bind(std::nullopt); }
    /// True while there is a row; after the last one the statement can be bound anew.
    bool step();
    /// For a statement without rows.
    void run() {
        while (step()) {
        }
    }

    std::int64_t number(int column) const;
    std::string_view text(int column) const;  ///< or bytes; until the next step; empty for null
    bool null(int column) const;

private:
    struct End {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, End> statement_;
    int bound_ = 0;
};

/// An open data file, which no other process can open meanwhile.
///
/// Threads: one at a time.
class SqlFile {
public:
    /// Opens the file, or creates it for the user alone. Throws `DataFileError`: not a data file of the
    /// sandbox, of a later version, damaged, in use, or the disk refused.
    explicit SqlFile(const std::filesystem::path& file);

    sqlite3* get() const noexcept { return connection_.get(); }
    void execute(const char* sql);

private:
    struct End {
        void operator()(sqlite3* connection) const noexcept;
    };
    std::filesystem::path file_;
    std::unique_ptr<sqlite3, End> connection_;
};

}  // namespace sg::sandbox
