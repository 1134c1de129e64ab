#include "plugins/run_record.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

namespace sg::plugins {
namespace {

namespace fs = std::filesystem;
using host::RunPage;

constexpr const char* ending = ".run";
constexpr std::size_t largest_record = sizeof(RunPage) + (std::size_t{4} << 20);

struct Unmap {
    void operator()(const RunPage* page) const noexcept {
        ::munmap(const_cast<RunPage*>(page), sizeof(RunPage));
    }
};

/// Removes a file when the last of what it named has been dealt with.
struct Rest {
    fs::path file;
    std::size_t left = 0;

    void settle() {
        std::error_code ignored;
        if (--left == 0) fs::remove(file, ignored);
    }
};

/// What runs in the record, with names; an error says why it cannot be told.
Result<std::vector<Interrupted>> read(const fs::path& file) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return fail(Cause::invalid, "{}", std::strerror(errno));
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < sizeof(RunPage) || size > largest_record) return fail(Cause::invalid, "of another size");
    std::string text(size - sizeof(RunPage), '\0');
    if (::pread(fd.get(), text.data(), text.size(), sizeof(RunPage)) != static_cast<ssize_t>(text.size()))
        return fail(Cause::invalid, "cannot be read");
    void* at = ::mmap(nullptr, sizeof(RunPage), PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (at == MAP_FAILED) return fail(Cause::invalid, "cannot be mapped: {}", std::strerror(errno));
    const std::unique_ptr<const RunPage, Unmap> page(static_cast<const RunPage*>(at));
    if (page->magic != RunPage::magic_value) return fail(Cause::invalid, "of another version");
    const auto running = page->all_running();
    std::vector<Interrupted> out;
    if (running.empty()) return out;
    const auto names = nlohmann::json::parse(text, nullptr, false);
    if (!names.is_object() || !names.contains("plugin") || !names.at("plugin").is_string() ||
        !names.contains("callbacks") || !names.at("callbacks").is_array())
        return fail(Cause::invalid, "without names");
    const auto& callbacks = names.at("callbacks");
    for (const auto& call : running)
        if (call.callback < callbacks.size() && callbacks[call.callback].is_string() && call.event > 0)
            out.push_back({names.at("plugin").get<std::string>(),
                           callbacks[call.callback].get<std::string>(),
                           call.event,
                           {}});
    return out;
}

}  // namespace

void RunRecord::Unmap::operator()(RunPage* page) const noexcept { ::munmap(page, sizeof(RunPage)); }

Result<std::unique_ptr<RunRecord>> RunRecord::make(const fs::path& directory, const std::string& plugin) {
    static std::atomic<unsigned> made{0};
    std::error_code error;
    fs::create_directories(directory, error);
    fs::permissions(directory, fs::perms::owner_all, error);
    std::unique_ptr<RunRecord> record(new RunRecord);
    record->plugin_ = plugin;
    const auto file = directory / (std::to_string(::getpid()) + "-" + std::to_string(++made) + ending);
    record->fd_.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!record->fd_) return fail(Cause::internal, "cannot make {}: {}", file.string(), std::strerror(errno));
    record->file_ = file;
    if (const int code = ::posix_fallocate(record->fd_.get(), 0, sizeof(RunPage)); code != 0)
        return fail(Cause::internal, "cannot make {}: {}", file.string(), std::strerror(code));
    void* at = ::mmap(nullptr, sizeof(RunPage), PROT_READ | PROT_WRITE, MAP_SHARED, record->fd_.get(), 0);
    if (at == MAP_FAILED)
        return fail(Cause::internal, "cannot map {}: {}", file.string(), std::strerror(errno));
    record->page_.reset(new (at) RunPage);
    return record;
}

RunRecord::~RunRecord() {
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
}

void RunRecord::name(const std::vector<std::string>& callbacks) {
    const auto text = nlohmann::json{{"plugin", plugin_}, {"callbacks", callbacks}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
    // Where this fails the record cannot be told, and is passed over.
    (void)!::pwrite(fd_.get(), text.data(), text.size(), sizeof(RunPage));
}

std::vector<Interrupted> find_interrupted(const fs::path& directory, Logger& log) {
    std::vector<Interrupted> out;
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ending) files.push_back(at->path());
    for (const auto& file : files) {
        auto found = read(file);
        if (!found)
            log.warning("[RUN-RECORD] What an earlier daemon was running cannot be told. file={} why={}",
                        file.string(), found.error().message);
        const auto rest = std::make_shared<Rest>(Rest{file, found ? found->size() : 0});
        if (rest->left == 0) fs::remove(file, error);
        if (!found) continue;
        for (auto& call : *found) {
            call.settle = [rest] { rest->settle(); };
            out.push_back(std::move(call));
        }
    }
    return out;
}

}  // namespace sg::plugins
