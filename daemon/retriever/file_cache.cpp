#include "retriever/file_cache.hpp"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "retriever/attachment_record.hpp"
#include "retriever/cache_cleaner.hpp"
#include "retriever/cache_folders.hpp"
#include "retriever/cache_key.hpp"
#include "retriever/downloads.hpp"
#include "retriever/entry_name.hpp"

namespace sg::retriever {

namespace fs = std::filesystem;
using Found = Result<std::optional<fs::path>>;

namespace {

std::string folder_of_key(std::string_view key) {
    return fmt::format("{}/{}", key.substr(0, 2), key.substr(2, 2));
}

/// Where a thumbnail is: the suffix is known when it is fetched, or looked for.
struct ThumbnailPlace {
    std::string folder, stem;
};

ThumbnailPlace thumbnail_place(std::string_view key) {
    return {"thumbs/" + folder_of_key(key), std::string(key.substr(4))};
}

struct AttachmentPlace {
    std::string folder, name;
};

AttachmentPlace attachment_place(const AttachmentRecord& record) {
    const auto key = cache_key(record.keyed_by());
    return {fmt::format("attachments/{}/{}", folder_of_key(key), key.substr(4)),
            attachment_name(record.name)};
}

/// Foreign software may have left more than one.
const Entry* newest(const std::vector<Entry>& entries) {
    const auto first = std::min_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.used != b.used ? a.used > b.used : a.name < b.name;
    });
    return first == entries.end() ? nullptr : &*first;
}

}  // namespace

struct FileCache::Shared {
    explicit Shared(FileCacheOptions given) : options(std::move(given)) {
        if (!options.clock) options.clock = std::make_shared<SystemClock>();
    }

    WallTime now() const { return options.clock->utc(); }

    Found find_thumbnail(std::string_view url);
    Result<fs::path> store_thumbnail(Arrival arrived, std::string_view key, const Fetched& fetched);
    Result<fs::path> store_placeholder(Arrival arrived, const Fetched& fetched);

    /// Fetches into a file of its own. Errors: the fetch's; it is empty, or not of the length announced.
    Result<Arrival> fetch(const fs::path& folder, const Fetch& fetch, Fetched& fetched, std::stop_token stop);

    FileCacheOptions options;
    Downloads downloads;
    FolderClaims claims;
    std::atomic<std::uint64_t> stored_bytes{0};  // since the last cleaning
};

FileCache::FileCache(FileCacheOptions options) {
    if (options.max_age < std::chrono::days{1})
        throw std::invalid_argument("a cache keeps files for at least a day");
    if (options.max_bytes == 0) throw std::invalid_argument("a cache of no bytes keeps nothing");
    if (!has_cache_keys()) throw std::runtime_error("OpenSSL as set up here refuses MD5");
    shared_ = std::make_shared<Shared>(std::move(options));
}

std::string FileCache::key(std::string_view url) { return cache_key(url); }

Found FileCache::Shared::find_thumbnail(std::string_view url) {
    const auto key = cache_key(url);
    if (key.empty()) return std::nullopt;
    const auto [folder, stem] = thumbnail_place(key);
    const auto where = options.root / folder;
    for (;;) {
        const auto entries = list_entries(where, stem + '.');
        if (!entries) return tl::unexpected(entries.error());
        const auto* entry = newest(*entries);
        if (entry == nullptr) return std::nullopt;
        const auto path = where / entry->name;
        if (is_placeholder(url)) {
            const auto age = now() - entry->used;
            const bool is_fresh = age < options.transient_ttl && -age < options.transient_ttl;
            return is_fresh ? std::optional(path) : std::nullopt;
        }
        if (touch(path, now())) return path;  // else it has gone in between, and another may be there
    }
}

Found FileCache::find(std::string_view url) { return shared_->find_thumbnail(url); }

Found FileCache::find_attachment(const nlohmann::json& attachment) {
    const auto record = read_attachment(attachment);
    if (!record) return tl::unexpected(record.error());
    if (record->local) return record->local;
    const auto [folder, name] = attachment_place(*record);
    const auto path = shared_->options.root / folder / name;
    const auto entry = one_entry(path);
    if (!entry) return tl::unexpected(entry.error());
    if (entry->empty() || !touch(path, shared_->now())) return std::nullopt;
    return path;
}

Result<Arrival> FileCache::Shared::fetch(const fs::path& folder, const Fetch& fetch, Fetched& fetched,
                                         std::stop_token stop) {
    // Before the download: where it cannot be kept, none is made.
    if (auto made = make_folders(options.root, folder, options.dir_mode); !made)
        return tl::unexpected(std::move(made.error()));
    auto arrival = Arrival::begin(options.root, options.dir_mode);
    if (!arrival) return arrival;
    if (stop.stop_requested()) return fail(Cause::stopped, "the download was stopped");
    auto done = fetch(arrival->path(), stop);
    if (!done) return tl::unexpected(std::move(done.error()));
    if (stop.stop_requested()) return fail(Cause::stopped, "the download was stopped");
    fetched = std::move(*done);
    const auto bytes = arrival->seal(options.file_mode, now());
    if (!bytes) return tl::unexpected(bytes.error());
    if (fetched.announced && *bytes != *fetched.announced)
        return fail(Cause::network, "{} bytes came of {}", *bytes, *fetched.announced);
    if (*bytes == 0) return fail(Cause::bad_answer, "the file is empty");
    stored_bytes.fetch_add(*bytes, std::memory_order_relaxed);
    return arrival;
}

Result<fs::path> FileCache::Shared::store_thumbnail(Arrival arrived, std::string_view key,
                                                    const Fetched& fetched) {
    const auto [folder, stem] = thumbnail_place(key);
    const auto name = stem + thumbnail_suffix(fetched.final_url, fetched.content_type);
    auto path = arrived.place(folder, name);
    if (!path) return path;
    // What is newer than this comes from another process, which has just told somebody its name.
    const auto own = one_entry(*path);
    const auto others = list_entries(options.root / folder, stem + '.');
    if (own && !own->empty() && others)
        for (const auto& other : *others)
            if (other.name != name && other.used <= own->front().used)
                ::unlink((options.root / folder / other.name).c_str());
    return path;
}

Result<fs::path> FileCache::Shared::store_placeholder(Arrival arrived, const Fetched& fetched) {
    const auto key = cache_key(fetched.final_url);
    const auto claim = claims.for_download(thumbnail_place(key).folder);
    return store_thumbnail(std::move(arrived), key, fetched);
}

Result<fs::path> FileCache::store(std::string_view url, const Fetch& fetch, std::stop_token stop) {
    const auto key = cache_key(url);
    if (key.empty()) return fail(Cause::invalid, "the url has no path");
    const auto folder = thumbnail_place(key).folder;
    const auto claim = shared_->claims.for_download(folder);
    Fetched fetched;
    auto arrived = shared_->fetch(folder, fetch, fetched, std::move(stop));
    if (!arrived) return tl::unexpected(std::move(arrived.error()));
    if (is_placeholder(fetched.final_url)) return shared_->store_placeholder(std::move(*arrived), fetched);
    return shared_->store_thumbnail(std::move(*arrived), key, fetched);
}

Result<fs::path> FileCache::store_attachment(const nlohmann::json& attachment, const Fetch& fetch,
                                             std::stop_token stop) {
    const auto record = read_attachment(attachment);
    if (!record) return tl::unexpected(record.error());
    const auto [folder, name] = attachment_place(*record);
    const auto claim = shared_->claims.for_download(folder);
    Fetched fetched;
    auto arrived = shared_->fetch(folder, fetch, fetched, std::move(stop));
    if (!arrived) return tl::unexpected(std::move(arrived.error()));
    if (is_placeholder(fetched.final_url)) return shared_->store_placeholder(std::move(*arrived), fetched);
    return arrived->place(folder, name);
}

Result<FileCache::Cleaned> FileCache::clean(std::stop_token stop) {
    const auto stored = shared_->stored_bytes.exchange(0);
    const auto& options = shared_->options;
    const CleaningRules rules{options.max_bytes, options.max_age, shared_->now()};
    auto removed = clean_cache(options.root, rules, shared_->claims, stop);
    if (!removed || stop.stop_requested()) shared_->stored_bytes.fetch_add(stored);  // it is still due
    if (!removed) return tl::unexpected(std::move(removed.error()));
    return Cleaned{removed->files, removed->bytes};
}

Downloads& FileCache::downloads() const noexcept { return shared_->downloads; }

bool FileCache::wants_cleaning() const noexcept {
    return shared_->stored_bytes.load(std::memory_order_relaxed) > shared_->options.max_bytes / 16;
}

}  // namespace sg::retriever
