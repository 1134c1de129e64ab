#pragma once
// One run of a prepared statement.

#include <sqlite3.h>
#include <concepts>
#include <string>
#include <string_view>

#include "checkpoint/database.hpp"

namespace sg::checkpoint {

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

}  // namespace sg::checkpoint
