#pragma once
// The SQLite file of the store.

#include <filesystem>
#include <memory>

#include "checkpoint/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sg::checkpoint {

/// One open database: schema, prepared statements, whole batches in one transaction each.
///
/// Threads: one at a time.
class Database {
public:
    enum class Fresh { refuse, allow };  ///< whether a missing or empty file may be filled

    /// Opens or creates the file, private to the user, and checks all of it. Errors: see `open_refusal`.
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, Fresh fresh);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<Snapshot> load();

    /// All of it or nothing; durable when it returns. Bad_answer: the file is damaged.
    Result<void> save(const Batch& batch);
    Result<void> set_clean(bool clean);

    /// Moves what is in the log into the file when there is much of it. For moments of leisure.
    void tidy();

    /// Whether the files at the path are still those that are open.
    bool is_intact() const;

    /// Closes without touching what now stands at the path.
    void abandon();

    /// What stands in `snapshot`, as one batch.
    static Batch whole(const Snapshot& snapshot);
    /// Keeps such a batch up to date: what erases takes the row out of it.
    static void fold(Batch& everything, Batch&& newer);
    /// Whether it stores what a state that has begun always holds.
    static bool begins(const Batch& batch) noexcept {
        return batch.highest_seen_ || !batch.progress_.empty();
    }

private:
    class Statement;
    explicit Database(std::filesystem::path file) : file_(std::move(file)) {}
    Result<void> connect(Fresh fresh);
    Result<void> make_schema();
    Result<void> migrate(std::int64_t from);
    Result<void> check();
    Result<void> prepare();
    Result<void> write(const Batch& batch);
    Result<void> write_pending(const Batch& batch);
    Result<void> write_dead_letters(const Batch& batch);
    Result<void> write_told(const std::map<std::string, std::optional<Paused>>& rows, sqlite3_stmt* put,
                            sqlite3_stmt* erase);
    Result<void> load_told(const char* sql, std::map<std::string, Paused>& out, bool& sums_fit);
    Result<void> load_pending(Snapshot& out, bool& sums_fit);
    Result<void> load_dead_letters(Snapshot& out, bool& sums_fit);
    template <class Row>
    Result<void> each(const char* sql, Row&& row);
    Result<void> execute(const char* sql);
    Result<std::int64_t> number(const char* sql);
    tl::unexpected<Failure> refused(const char* doing) const;
    void remember_files();

    struct Closer {
        void operator()(sqlite3* connection) const noexcept;
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    using StatementPtr = std::unique_ptr<sqlite3_stmt, Closer>;

    std::filesystem::path file_;
    std::unique_ptr<sqlite3, Closer> connection_;
    StatementPtr begin_, commit_, rollback_, put_seen_, put_progress_, put_pending_, erase_pending_, put_gap_,
        erase_gap_, put_watched_, erase_watched_, put_dead_letter_, erase_dead_letter_, put_paused_,
        erase_paused_, put_disabled_, erase_disabled_;
    struct FileId {
        std::uint64_t device = 0, inode = 0;
    };
    FileId main_, log_;
};

}  // namespace sg::checkpoint
