#pragma once
// Files fetched from the site, kept on disk and shared by processes.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "util/clock.hpp"
#include "util/result.hpp"

namespace sg::retriever {

class Downloads;

struct FileCacheOptions {
    std::filesystem::path root;  ///< one per site; made when something is first stored
    std::uint64_t max_bytes = std::uint64_t{4} << 30;
    std::chrono::hours max_age = std::chrono::days{60};  ///< since the last use; at least a day
    std::chrono::seconds transient_ttl{20};              ///< of the site's "thumbnail is being made" pictures
    unsigned file_mode = 0666;
    unsigned dir_mode = 0777;
    std::shared_ptr<Clock> clock{};  ///< empty: the machine's
};

/// What was fetched into a temporary file.
struct Fetched {
    std::string final_url;     ///< after redirects
    std::string content_type;  ///< as sent; may be empty
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> announced{};  ///< the length that the answer stated
};

/// Writes the file to the path given, where there is none yet. What it leaves there when it fails is removed.
using Fetch = std::function<Result<Fetched>(const std::filesystem::path& temporary, std::stop_token stop)>;

/// Thumbnails below `thumbs`, attachments below `attachments`, both found by the path of their URL: what
/// signs a URL changes, and the entry stays.
///
/// Nothing appears under its final name before it is whole and on the disk, so any number of processes may
/// share a root. A handle; copies share.
///
/// Threads: any. Blocks: on the disk, and in `store` on the fetch.
class FileCache {
public:
    /// Throws `std::invalid_argument` for a `max_age` under a day or a `max_bytes` of 0, and
    /// `std::runtime_error` where OpenSSL is set up to refuse MD5, by which files are found.
    explicit FileCache(FileCacheOptions options);

    /// 32 lower-case hex digits for the path of `url`; empty where it has none.
    static std::string key(std::string_view url);

    /// The entry, and marks it used. nullopt: none, or one of the site's "thumbnail is being made" pictures
    /// whose time is over. A `local` attachment that is there is its own entry and not marked.
    /// Errors: `internal`: the disk cannot be looked at; `invalid`: it is no record of an attachment, or has
    /// neither an id nor a url.
    Result<std::optional<std::filesystem::path>> find(std::string_view url);
    Result<std::optional<std::filesystem::path>> find_attachment(const nlohmann::json& attachment);

    /// Fetches and stores; the entry. Takes the place of an entry that is there, also of one with another
    /// suffix, and only once it is whole: where it fails the old one stays. A picture that says "being made"
    /// is stored for its own URL instead. Does not join equal downloads. What `fetch` throws goes through.
    /// Errors: those of `fetch`; `network`: it is shorter or longer than announced; `bad_answer`: it is
    /// empty; `stopped`; `invalid` as above, or the url has no path; `internal`: the disk refuses.
    Result<std::filesystem::path> store(std::string_view url, const Fetch& fetch, std::stop_token stop = {});
    Result<std::filesystem::path> store_attachment(const nlohmann::json& attachment, const Fetch& fetch,
                                                   std::stop_token stop = {});

    struct Cleaned {
        std::size_t files = 0;
        std::uint64_t bytes = 0;
    };
    /// Removes what is too old and then the least recently used until the rest fits; never what was used in
    /// the last minute or lies where a download is to arrive. Returns what it did when it is stopped, too.
    /// Errors: `internal`: a folder of the cache cannot be read.
    Result<Cleaned> clean(std::stop_token stop = {});

    /// True once a sixteenth of `max_bytes` was stored since the last `clean`: time for another.
    bool wants_cleaning() const noexcept;

    /// The downloads under way of all who share this.
    Downloads& downloads() const noexcept;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace sg::retriever
