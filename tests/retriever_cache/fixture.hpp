#pragma once
// A cache in a directory of the test's own, with a clock that the test moves.

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retriever/file_cache.hpp"
#include "temp_dir.hpp"

namespace sg::test {

namespace fs = std::filesystem;
using retriever::Fetch;
using retriever::Fetched;
using retriever::FileCache;
using retriever::FileCacheOptions;

inline std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const fs::path& file, std::string_view bytes) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
}

inline std::chrono::system_clock::time_point used_at(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    return std::chrono::system_clock::time_point(std::chrono::seconds(status.st_mtim.tv_sec) +
                                                 std::chrono::nanoseconds(status.st_mtim.tv_nsec));
}

inline void set_used(const fs::path& file, std::chrono::system_clock::time_point time) {
    timespec spec{};
    spec.tv_sec = std::chrono::system_clock::to_time_t(time);
    const timespec times[] = {spec, spec};
    if (::utimensat(AT_FDCWD, file.c_str(), times, 0) != 0) throw std::runtime_error("cannot set a time");
}

inline unsigned mode_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
}

/// A url, and the file of the cache that is for it.
inline const std::string abc = "https://demo.example.com/thumbs/1/abc_t.jpg";
inline const std::string abc_file = "thumbs/86/d1/bbf9a4c896ed606e5b872aa11bbd.jpg";

/// An answer of the site: its bytes, where they came from in the end, and their type.
struct Answer {
    std::string bytes;
    std::string final_url;
    std::string type{};
    std::optional<std::uint64_t> announced{};
};

/// Gives the same answer whenever it is asked, and counts.
struct Source {
    explicit Source(Answer given) : answer(std::move(given)) {}
    operator Fetch() {
        return [this](const fs::path& to, std::stop_token) -> Result<Fetched> {
            ++asked;
            std::ofstream(to, std::ios::binary) << answer.bytes;
            return Fetched{answer.final_url, answer.type, answer.bytes.size(), answer.announced};
        };
    }
    Answer answer;
    int asked = 0;
};

struct CacheRig {
    explicit CacheRig(FileCacheOptions wanted = {}, const std::string& name = "cache")
        : root(dir / name), options(std::move(wanted)) {
        options.root = root;
        options.clock = clock;
        cache = std::make_unique<FileCache>(options);
    }

    /// As a request does it: the entry, or else what `source` gives.
    Result<fs::path> request(std::string_view url, Source& source) {
        auto found = cache->find(url);
        if (!found) return tl::unexpected(found.error());
        return *found ? Result<fs::path>(**found) : cache->store(url, source);
    }
    Result<fs::path> request_attachment(const nlohmann::json& record, Source& source) {
        auto found = cache->find_attachment(record);
        if (!found) return tl::unexpected(found.error());
        return *found ? Result<fs::path>(**found) : cache->store_attachment(record, source);
    }

    /// Every file below the root, relative to it and sorted.
    std::vector<std::string> files() const {
        std::vector<std::string> out;
        if (!fs::exists(root)) return out;
        for (const auto& found : fs::recursive_directory_iterator(root))
            if (!found.is_directory()) out.push_back(fs::relative(found.path(), root).string());
        std::sort(out.begin(), out.end());
        return out;
    }

    TempDir dir;
    fs::path root;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    FileCacheOptions options;
    std::unique_ptr<FileCache> cache;
};

}  // namespace sg::test
