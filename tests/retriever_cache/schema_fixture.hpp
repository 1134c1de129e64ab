#pragma once
// A schema cache whose loads the test answers.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "capture_log.hpp"
#include "retriever/schema_cache.hpp"
#include "retriever_cache/fixture.hpp"

namespace sg::test {

using nlohmann::json;
using retriever::SchemaCache;
using retriever::SchemaCacheOptions;
using retriever::SchemaLoader;

inline constexpr std::int64_t statuses = -1;  // as a loader of the test notes them

inline json schema_named(const std::string& name) {
    return {{"types", {{"Shot", {{"name", {{"value", name}}}}}}},
            {"fields", {{"Shot", {{"code", {{"name", {{"value", name + " Code"}}}}}}}}}};
}

/// Keeps what it is asked until the test answers.
class HeldLoader final : public SchemaLoader {
public:
    void load_schema(std::int64_t project, Done done) override { keep(project, std::move(done)); }
    void load_statuses(Done done) override { keep(statuses, std::move(done)); }

    std::vector<std::int64_t> asked() const {
        std::lock_guard lock(mutex_);
        return asked_;
    }
    /// Takes the oldest question that waits.
    Done next() {
        auto done = try_next();
        REQUIRE(done);
        return done;
    }
    Done try_next() {
        std::lock_guard lock(mutex_);
        if (waiting_.empty()) return nullptr;
        auto done = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        return done;
    }
    std::function<void(const Done&)> at_once;  ///< answers within the call, where set

private:
    void keep(std::int64_t what, Done done) {
        std::unique_lock lock(mutex_);
        asked_.push_back(what);
        if (!at_once) return waiting_.push_back(std::move(done));
        lock.unlock();
        at_once(done);
    }

    mutable std::mutex mutex_;
    std::vector<std::int64_t> asked_;
    std::vector<Done> waiting_;
};

struct SchemaRig {
    explicit SchemaRig(SchemaCacheOptions wanted = {}) : options(std::move(wanted)) {
        options.root = dir / "cache";
        options.clock = clock;
        reopen();
    }
    void reopen() {
        cache.reset();
        cache = std::make_unique<SchemaCache>(options, loader, log);
    }
    std::size_t asked() const { return loader.asked().size(); }
    fs::path file(const std::string& name) const { return options.root / "schema" / name; }

    /// Counts what it is told.
    SchemaCache::Waiter waiter() {
        return [this](Result<SchemaCache::Document> told) {
            if (told)
                known.push_back(**told);
            else
                failed.push_back(told.error().cause);
        };
    }

    TempDir dir;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    SchemaCacheOptions options;
    HeldLoader loader;
    CaptureLog log;
    std::vector<json> known;
    std::vector<Cause> failed;
    std::unique_ptr<SchemaCache> cache;
};

inline tl::unexpected<Failure> refusal(Cause cause) { return fail(cause, "refused"); }

}  // namespace sg::test
