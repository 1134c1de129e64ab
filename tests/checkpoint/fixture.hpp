#pragma once
// What the tests of the store share.

#include <sqlite3.h>
#include <memory>
#include <string>

#include "capture_log.hpp"
#include "catch.hpp"
#include "checkpoint/store.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;
using checkpoint::Batch;
using checkpoint::Store;
using checkpoint::Urgency;

struct StateFixture {
    TempDir temp;
    SystemClock clock;
    CaptureLog log;
    std::filesystem::path directory = temp / "state";

    Result<std::unique_ptr<Store>> try_open(checkpoint::Listener listener = {}) {
        Store::Options options;
        options.directory = directory;
        options.retry_pause = 20ms;
        return Store::open(options, clock, log, std::move(listener));
    }
    std::unique_ptr<Store> open(checkpoint::Listener listener = {}) {
        auto store = try_open(std::move(listener));
        INFO((store ? std::string() : store.error().message));
        REQUIRE(store);
        return std::move(*store);
    }
    std::filesystem::path file(const std::string& suffix = "") { return directory / ("state.db" + suffix); }
};

inline Batch progress(const std::string& plugin, EventId cursor) {
    Batch batch;
    batch.set_progress(plugin, {0, cursor, cursor});
    return batch;
}

/// One number, read as a status page would: over a read-only connection of its own.
inline std::int64_t read_number(const std::filesystem::path& file, const char* sql) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::int64_t out = -1;
    if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
        sqlite3_busy_timeout(db, 5000);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
            out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return out;
}

}  // namespace sg::test
