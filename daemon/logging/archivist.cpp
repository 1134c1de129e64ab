#include "logging/archivist.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "util/fd.hpp"
#include "util/thread.hpp"

namespace sg::logging {
namespace {

namespace fs = std::filesystem;

struct CloseGz {
    void operator()(gzFile_s* file) const noexcept { ::gzclose(file); }
};

/// `<log>.2026-03-04`, perhaps with `.1` and `.gz` behind it: what stands behind the log's name.
bool is_put_aside(std::string_view rest) {
    constexpr std::string_view pattern = ".dddd-dd-dd";
    if (rest.size() < pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i)
        if (pattern[i] == 'd' ? rest[i] < '0' || rest[i] > '9' : rest[i] != pattern[i]) return false;
    rest.remove_prefix(pattern.size());
    if (rest.ends_with(".gz")) rest.remove_suffix(3);
    return rest.empty() || (rest.size() > 1 && rest[0] == '.' &&
                            rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

/// The newest first.
std::vector<fs::path> files_of(const fs::path& log) {
    std::vector<fs::path> out;
    const auto name = log.filename().string();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(log.parent_path(), ignored)) {
        const auto other = entry.path().filename().string();
        if (other.starts_with(name) && is_put_aside(std::string_view(other).substr(name.size())))
            out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end(), std::greater<>());
    return out;
}

/// In place of the file, or not at all: it appears when it is whole.
void compress(const fs::path& file, const std::stop_token& stop) {
    const auto part = file.string() + ".gz.part";
    UniqueFd from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    UniqueFd to(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    std::unique_ptr<gzFile_s, CloseGz> out(from && to ? ::gzdopen(to.get(), "wb") : nullptr);
    if (!out) return;
    (void)to.release();  // its descriptor is closed with it
    std::vector<char> bytes(1 << 17);
    ssize_t n = 0;
    bool whole = true;
    while (whole && (n = ::read(from.get(), bytes.data(), bytes.size())) > 0)
        whole = !stop.stop_requested() &&
                ::gzwrite(out.get(), bytes.data(), static_cast<unsigned>(n)) == static_cast<int>(n);
    whole = ::gzclose(out.release()) == Z_OK && whole && n == 0;
    // Never over another one. What did not come about is tried again at the next look.
    whole = whole && ::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, (file.string() + ".gz").c_str(),
                                 RENAME_NOREPLACE) == 0;
    std::error_code ignored;
    fs::remove(whole ? file : fs::path(part), ignored);
}

}  // namespace

Archivist::Archivist(std::size_t keep, bool compress) : keep_(keep), compress_(compress) {}

Archivist::~Archivist() = default;

void Archivist::tidy(const fs::path& file) {
    std::lock_guard lock(mutex_);
    waiting_.insert(file);
    if (!thread_.joinable())
        thread_ = start_thread("log-files", [this](const std::stop_token& stop) { run(stop); });
    changed_.notify_all();
}

void Archivist::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        const auto file = waiting_.extract(waiting_.begin()).value();
        lock.unlock();
        look(file, stop);
        lock.lock();
    }
}

void Archivist::look(const fs::path& file, const std::stop_token& stop) const {
    const auto files = files_of(file);
    std::error_code ignored;
    for (std::size_t i = 0; i < files.size() && !stop.stop_requested(); ++i) {
        if (i >= keep_)
            fs::remove(files[i], ignored);
        else if (compress_ && files[i].extension() != ".gz")
            compress(files[i], stop);
    }
}

}  // namespace sg::logging
