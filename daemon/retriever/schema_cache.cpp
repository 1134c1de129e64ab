#include "retriever/schema_cache.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "retriever/schema_file.hpp"

namespace sg::retriever {

using nlohmann::json;

namespace {

/// A project, 0 for the site, or the statuses.
using Subject = std::int64_t;
constexpr Subject statuses_subject = -1;

std::string file_name(Subject subject) {
    return subject == statuses_subject ? "statuses" : fmt::format("project-{}", subject);
}

std::string shown_subject(Subject subject) {
    if (subject == statuses_subject) return "statuses";
    return subject == 0 ? "schema of the site" : fmt::format("schema of project {}", subject);
}

bool is_well_formed(Subject subject, const json& value) {
    if (subject == statuses_subject) return value.is_array();
    const auto has = [&](const char* key) { return value.contains(key) && value.at(key).is_object(); };
    return value.is_object() && has("fields") && has("types");
}

const json* find_below(const json& value, std::initializer_list<std::string_view> path) {
    const json* at = &value;
    for (const auto key : path) {
        if (!at->is_object()) return nullptr;
        const auto found = at->find(std::string(key));
        if (found == at->end()) return nullptr;
        at = &*found;
    }
    return at;
}

std::string text_or(const json* value, std::string_view otherwise) {
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string(otherwise);
}

}  // namespace

struct SchemaCache::Shared : std::enable_shared_from_this<Shared> {
    struct Slot {
        Document value;
        WallTime fetched;
        enum class Disk : std::uint8_t { unread, reading, read } disk = Disk::unread;
        std::uint64_t load = 0;  // the one under way; 0: none
        Clock::Time not_before{};
        std::uint64_t used = 0;  // grows with every lookup
        std::vector<Waiter> waiters;
    };

    /// What a `Done` stands for: ends its load once, at the latest when nobody can any more.
    struct Load {
        Load(std::shared_ptr<Shared> whose, Subject what, std::uint64_t number)
            : cache(std::move(whose)), subject(what), id(number) {}
        Load(Load&&) = delete;
        ~Load() { end(fail(Cause::stopped, "nobody answered")); }
        void end(Result<json> result) {
            if (!ended.exchange(true)) cache->end_load(subject, id, std::move(result));
        }
        std::shared_ptr<Shared> cache;
        Subject subject;
        std::uint64_t id;
        std::atomic<bool> ended{false};
    };

    Shared(SchemaCacheOptions given, SchemaLoader& from, Logger& to)
        : options(std::move(given)), loader(from), log(to) {
        if (!options.clock) options.clock = std::make_shared<SystemClock>();
    }

    Document look_up(Subject subject, Waiter waiter);
    void read_disk(Subject subject);
    void load(Subject subject, std::uint64_t id);
    void end_load(Subject subject, std::uint64_t id, Result<json> result);
    void settle_load(Subject subject, std::uint64_t id, Result<json> result);
    void save(Subject subject, const KeptDocument& document);
    void close();

    bool is_old(const Slot& slot) const {
        const auto age = options.clock->utc() - slot.fetched;
        return age >= options.refresh_after || -age >= options.refresh_after;
    }
    void forget_least_used(Subject but);  // locked

    SchemaCacheOptions options;
    SchemaLoader& loader;
    Logger& log;

    std::mutex mutex;  // guards the rest
    std::condition_variable settled;
    std::map<Subject, Slot> slots;
    std::uint64_t last_load = 0, lookups = 0;
    int settling = 0;  // loads whose end is being dealt with
    bool closed = false;
};

SchemaCache::Document SchemaCache::Shared::look_up(Subject subject, Waiter waiter) {
    if (subject < statuses_subject) {
        if (waiter) waiter(fail(Cause::invalid, "{} is no project", subject));
        return nullptr;
    }
    Document value;
    std::uint64_t starts = 0;
    for (bool reads = false;; reads = false) {
        {
            std::lock_guard lock(mutex);
            auto& slot = slots[subject];
            slot.used = ++lookups;
            reads = slot.disk == Slot::Disk::unread;
            if (reads) {
                slot.disk = Slot::Disk::reading;
            } else {
                value = slot.value;
                if (waiter && !value) slot.waiters.push_back(std::exchange(waiter, nullptr));
                // Where another thread reads the disk, that one goes on from here.
                const bool wanted = !value || is_old(slot);
                const bool may = options.clock->now() >= slot.not_before || (!value && !slot.waiters.empty());
                if (slot.disk == Slot::Disk::read && slot.load == 0 && wanted && may)
                    starts = slot.load = ++last_load;
                forget_least_used(subject);
            }
        }
        if (!reads) break;
        read_disk(subject);
    }
    if (waiter) waiter(value);
    if (starts != 0) load(subject, starts);
    return value;
}

void SchemaCache::Shared::read_disk(Subject subject) {
    auto kept = read_document(options.root, file_name(subject));
    if (kept && *kept && !is_well_formed(subject, (*kept)->value))
        kept = fail(Cause::bad_answer, "the file is damaged: it holds something else");
    if (!kept) {
        const auto file = options.root / schema_folder / file_name(subject);
        log.warning(
            "[SCHEMA-CACHE-DAMAGED] What was kept of the site's schema cannot be used; it is fetched anew. "
            "file={} why={}",
            file.string(), kept.error().message);
        std::error_code ignored;  // it is said once and not by every process that comes
        if (kept.error().cause == Cause::bad_answer) std::filesystem::remove(file, ignored);
    }
    std::vector<Waiter> waiters;
    Document value;
    {
        std::lock_guard lock(mutex);
        auto& slot = slots[subject];
        slot.disk = Slot::Disk::read;
        if (!kept || !*kept) return;
        value = slot.value = std::make_shared<const json>(std::move((*kept)->value));
        slot.fetched = (*kept)->fetched;
        waiters.swap(slot.waiters);
    }
    for (const auto& waiter : waiters) waiter(value);
}

void SchemaCache::Shared::load(Subject subject, std::uint64_t id) {
    const auto load = std::make_shared<Load>(shared_from_this(), subject, id);
    const SchemaLoader::Done done = [load](Result<json> result) { load->end(std::move(result)); };
    try {
        if (subject == statuses_subject)
            loader.load_statuses(done);
        else
            loader.load_schema(subject, done);
    } catch (const std::exception& error) {
        load->end(fail(Cause::internal, "{}", error.what()));
    }
}

void SchemaCache::Shared::end_load(Subject subject, std::uint64_t id, Result<json> result) {
    {
        std::lock_guard lock(mutex);
        if (closed) return;
        ++settling;
    }
    settle_load(subject, id, std::move(result));
    std::lock_guard lock(mutex);
    --settling;
    settled.notify_all();
}

void SchemaCache::Shared::settle_load(Subject subject, std::uint64_t id, Result<json> result) {
    if (result && !is_well_formed(subject, *result))
        result = fail(Cause::bad_answer, "the site's answer is something else");
    Document value;
    if (result) value = std::make_shared<const json>(std::move(*result));
    const auto now = options.clock->utc();
    std::vector<Waiter> waiters;
    {
        std::lock_guard lock(mutex);
        auto& slot = slots[subject];
        if (slot.load != id) return;
        slot.load = 0;
        waiters.swap(slot.waiters);
        if (value) {
            slot.value = value;
            slot.fetched = now;
            slot.not_before = {};
        } else if (result.error().cause != Cause::stopped) {
            slot.not_before = options.clock->now() + options.retry_after;
        }
    }
    if (!value) {
        const auto level = result.error().cause == Cause::stopped ? LogLevel::debug : LogLevel::warning;
        log.log(level, "[SCHEMA-NOT-LOADED] Not loaded; a later lookup tries again. what={} why={}",
                shown_subject(subject), result.error().message);
        for (const auto& waiter : waiters) waiter(tl::unexpected(result.error()));
        return;
    }
    for (const auto& waiter : waiters) waiter(value);
    if (subject != statuses_subject && options.on_schema) options.on_schema(subject);
    if (subject == statuses_subject && options.on_statuses) options.on_statuses();
    save(subject, {*value, now});
}

void SchemaCache::Shared::save(Subject subject, const KeptDocument& document) {
    const auto saved =
        write_document(options.root, file_name(subject), document, options.file_mode, options.dir_mode);
    if (!saved)
        log.warning("[SCHEMA-NOT-KEPT] Loaded, and not kept on disk. what={} why={}", shown_subject(subject),
                    saved.error().message);
}

void SchemaCache::Shared::forget_least_used(Subject but) {
    while (slots.size() > std::max<std::size_t>(options.most_in_memory, 1)) {
        auto least = slots.end();
        for (auto it = slots.begin(); it != slots.end(); ++it) {
            const auto& slot = it->second;
            const bool idle = slot.load == 0 && slot.waiters.empty() && slot.disk != Slot::Disk::reading;
            if (!idle || it->first == but) continue;
            if (least == slots.end() || slot.used < least->second.used) least = it;
        }
        if (least == slots.end()) return;
        slots.erase(least);
    }
}

void SchemaCache::Shared::close() {
    std::vector<Waiter> waiters;
    {
        std::unique_lock lock(mutex);
        closed = true;
        settled.wait(lock, [&] { return settling == 0; });
        for (auto& [subject, slot] : slots)
            for (auto& waiter : slot.waiters) waiters.push_back(std::move(waiter));
        slots.clear();
    }
    for (const auto& waiter : waiters) waiter(fail(Cause::stopped, "the schema cache is closed"));
}

SchemaCache::SchemaCache(SchemaCacheOptions options, SchemaLoader& loader, Logger& log)
    : shared_(std::make_shared<Shared>(std::move(options), loader, log)) {}

SchemaCache::~SchemaCache() { shared_->close(); }

SchemaCache::Document SchemaCache::schema(std::int64_t project) {
    return project < 0 ? nullptr : shared_->look_up(project, {});
}

SchemaCache::Document SchemaCache::statuses() { return shared_->look_up(statuses_subject, {}); }

void SchemaCache::when_schema(std::int64_t project, Waiter waiter) {
    // One below the statuses is nobody's, and refused.
    shared_->look_up(project < 0 ? statuses_subject - 1 : project, std::move(waiter));
}

void SchemaCache::when_statuses(Waiter waiter) { shared_->look_up(statuses_subject, std::move(waiter)); }

std::string SchemaCache::type_name(std::string_view type, std::int64_t project) {
    const auto known = schema(project);
    return text_or(known ? find_below(*known, {"types", type, "name", "value"}) : nullptr, type);
}

std::string SchemaCache::field_name(std::string_view type, std::string_view field, std::int64_t project) {
    const auto known = schema(project);
    auto last_type = type, last_field = field;
    if (const auto dot = field.rfind('.'); dot != std::string_view::npos) {
        last_field = field.substr(dot + 1);
        const auto before = field.substr(0, dot);
        last_type = before.substr(before.rfind('.') + 1);  // npos + 1 is 0
    }
    return text_or(known ? find_below(*known, {"fields", last_type, last_field, "name", "value"}) : nullptr,
                   field);
}

std::string SchemaCache::status_name(std::string_view code) {
    const auto known = statuses();
    if (known)
        for (const auto& row : *known)
            if (row.is_object() && row.value("code", json()) == code)
                return text_or(find_below(row, {"name"}), code);
    return std::string(code);
}

}  // namespace sg::retriever
