#include "plugins/collection.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace sg::plugins {
namespace {

namespace fs = std::filesystem;

bool is_everyones(const fs::file_status& status) {
    return (status.permissions() & fs::perms::others_write) != fs::perms::none;
}

/// Why `file` is not worth a try; empty if it is.
std::string why_not(const fs::path& file, WorldWritable world_writable) {
    std::error_code error;
    const auto status = fs::status(file, error);
    if (!fs::exists(status)) return "a link to nothing";
    if (fs::is_directory(status)) return "a directory";
    if (!fs::is_regular_file(status)) return "not a regular file";
    if (world_writable == WorldWritable::refused && is_everyones(status))
        return "everyone may write to it: chmod o-w";
    if (fs::file_size(file, error) == 0) return "empty";
    std::array<char, 4> start{};
    std::ifstream in(file, std::ios::binary);
    if (!in) return "not readable";
    in.read(start.data(), start.size());
    if (start != std::array{'\x7f', 'E', 'L', 'F'}) return "not a shared library";
    return {};
}

/// The names in a directory, sorted; nullopt with `why` where it cannot be read.
std::optional<std::vector<std::string>> names_in(const fs::path& directory, std::string& why) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename().string());
    if (error) {
        why = error.message();
        return std::nullopt;
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// The time of the last change of the inode is in it: a tool that restores times cannot restore that one.
std::string stat_text(const fs::path& file) {
    struct stat now {};
    if (::stat(file.c_str(), &now) != 0) return "gone";
    return fmt::format("{}:{}:{}:{}.{}:{}.{}", now.st_dev, now.st_ino, now.st_size, now.st_mtim.tv_sec,
                       now.st_mtim.tv_nsec, now.st_ctim.tv_sec, now.st_ctim.tv_nsec);
}

std::string identity_of(const fs::path& file) {
    auto text = stat_text(file);
    const auto libraries = libraries_of(file);
    std::string ignored;
    if (const auto names = names_in(libraries, ignored))
        for (const auto& name : *names) text += fmt::format("|{}={}", name, stat_text(libraries / name));
    return text;
}

}  // namespace

fs::path libraries_of(const fs::path& plugin_file) {
    return plugin_file.parent_path() / (plugin_file.stem().string() + ".libs");
}

Collections::Collections(std::vector<fs::path> directories, Logger& log, WorldWritable world_writable)
    : directories_(std::move(directories)), log_(log), world_writable_(world_writable) {}

Scan Collections::scan() {
    Scan scan;
    std::map<std::string, fs::path> by_id;
    for (const auto& directory : directories_) scan_one(directory, scan, by_id);
    before_ = std::exchange(now_, {});
    first_ = false;
    return scan;
}

bool Collections::is_to_tell(const std::string& condition) {
    const auto before = before_.find(condition);
    const int times = before == before_.end() ? 1 : before->second + 1;
    // At the first scan it counts as seen twice, so that the second one does not say it again.
    now_[condition] = first_ ? 2 : times;
    return first_ || times == 2;
}

void Collections::close(const fs::path& directory, const std::string& why, Scan& scan) {
    scan.closed.insert(
        (fs::absolute(directory) / "").parent_path());  // as of a file in it: no slash at the end
    if (is_to_tell("closed " + directory.string()))
        log_.error(
            "[COLLECTION-UNREADABLE] A plugin directory cannot be read; what was found in it runs on. "
            "path={} "
            "why={}",
            directory.string(), why);
}

void Collections::scan_one(const fs::path& directory, Scan& scan, std::map<std::string, fs::path>& by_id) {
    std::string why;
    const auto names = names_in(directory, why);
    if (!names) return close(directory, why, scan);
    std::error_code unknown;
    if (world_writable_ == WorldWritable::refused && is_everyones(fs::status(directory, unknown)))
        return close(directory, "everyone may write to it: chmod o-w", scan);
    // What an unmounted volume leaves behind is an empty directory.
    if (names->empty() && held_.contains(directory)) return close(directory, "it is empty", scan);
    if (const auto before = before_.find("closed " + directory.string());
        before != before_.end() && before->second >= 2)
        log_.info("[COLLECTION-READABLE] A plugin directory can be read again. path={}", directory.string());
    for (const auto& name : *names) {
        if (name.starts_with('.') || fs::path(name).extension() != ".so") continue;
        const auto file = fs::absolute(directory / name);
        const auto id = fs::path(name).stem().string();
        if (const auto reason = why_not(file, world_writable_); !reason.empty()) {
            scan.unfit.insert(id);
            if (is_to_tell(fmt::format("unfit {} {}", file.string(), reason)))
                log_.warning("[PLUGIN-SKIPPED] Not a plugin; skipped. file={} why={}", file.string(), reason);
            continue;
        }
        if (const auto [first, is_first] = by_id.emplace(id, file); !is_first) {
            if (is_to_tell("twice " + file.string()))
                log_.error(
                    "[PLUGIN-TWICE] Two files have the same plugin id; the first one runs. id={} runs={} "
                    "ignored={}",
                    id, first->second.string(), file.string());
            continue;
        }
        held_.insert(directory);
        scan.plugins.push_back({id, file, identity_of(file)});
    }
}

}  // namespace sg::plugins
