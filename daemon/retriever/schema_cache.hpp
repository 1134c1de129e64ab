#pragma once
// What types, fields and statuses the site has, without waiting for the site.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sg/logger.hpp>
#include <string>
#include <string_view>

#include "util/clock.hpp"
#include "util/result.hpp"

namespace sg::retriever {

/// Asks the site; a retriever is behind it.
///
/// Threads:  any thread calls it, with nothing locked.
/// Lifetime: outlives the cache that uses it.
class SchemaLoader {
public:
    /// Called once, from any thread, also before `load_…` returns. A call more does nothing; where the last
    /// copy goes without a call, the load counts as stopped.
    using Done = std::function<void(Result<nlohmann::json>)>;

    virtual ~SchemaLoader() = default;
    /// `{"fields": {…}, "types": {…}}`, as `get_schema` gives it. Project 0: what the site has.
    virtual void load_schema(std::int64_t project, Done done) = 0;
    /// The rows of `Status`: `code`, `name`, `bg_color`.
    virtual void load_statuses(Done done) = 0;
};

struct SchemaCacheOptions {
    std::filesystem::path root;  ///< that of the site's `FileCache`; files lie below `root/schema`
    std::chrono::minutes refresh_after{60};  ///< what is older is given all the same, and loaded anew
    std::chrono::seconds retry_after{30};  ///< a load that failed is not tried again before, but for waiters
    std::size_t most_in_memory = 32;       ///< schemas; the least recently used are left to the disk
    unsigned file_mode = 0666;
    unsigned dir_mode = 0777;
    std::shared_ptr<Clock> clock{};  ///< empty: the machine's
    /// Called after each load that succeeded, on its thread, before the file is written.
    std::function<void(std::int64_t project)> on_schema{};
    std::function<void()> on_statuses{};
};

/// Answers from memory, else from the disk, and has what is missing or old loaded in the background, each
/// thing once at a time. A load that fails or is stopped leaves what was known, and a later lookup tries
/// again.
///
/// A file that is damaged is as one that is missing, and said once.
///
/// Threads:  any.
/// Lifetime: its end is not awaited by loads, which may end later; waiters are then told `stopped`. It must
///           not end within a callback of its own.
class SchemaCache {
public:
    using Document = std::shared_ptr<const nlohmann::json>;
    /// Must not throw.
    using Waiter = std::function<void(Result<Document>)>;

    SchemaCache(SchemaCacheOptions options, SchemaLoader& loader, Logger& log);
    SchemaCache(SchemaCache&&) = delete;
    ~SchemaCache();

    /// What is known; null where nothing is yet. Blocks on the disk where it is asked for the first time,
    /// never on the site.
    Document schema(std::int64_t project = 0);
    Document statuses();

    /// Tells `waiter` once: at once what is known, else how the load ends, on that load's thread.
    void when_schema(std::int64_t project, Waiter waiter);
    void when_statuses(Waiter waiter);

    /// Names for people, as far as they are known, else what was given. A field may be a path:
    /// `sg_sequence.Sequence.code`.
    std::string type_name(std::string_view type, std::int64_t project = 0);
    std::string field_name(std::string_view type, std::string_view field, std::int64_t project = 0);
    std::string status_name(std::string_view code);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace sg::retriever
