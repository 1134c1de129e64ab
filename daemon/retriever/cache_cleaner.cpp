#include "retriever/cache_cleaner.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sg::retriever {
namespace {

using namespace std::chrono_literals;

constexpr auto in_use = 1min;       // what was used so recently is never removed
constexpr auto temporary_age = 1h;  // nothing is on its way for so long
constexpr int most_levels = 8;      // of folders; the cache has four

struct CloseListing {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

UniqueFd open_below(int folder, const char* name, int flags) {
    return UniqueFd(::openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
}

class Cleaner {
public:
    Cleaner(const CleaningRules& rules, FolderClaims& claims, std::stop_token stop)
        : rules_(rules), claims_(claims), stop_(std::move(stop)) {}

    Result<Removed> run(const std::filesystem::path& root) {
        root_ = UniqueFd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!root_) {
            if (errno == ENOENT) return removed_;
            return fail(Cause::internal, "cannot look into {}: {}", root.string(), std::strerror(errno));
        }
        tmp_ = open_below(root_.get(), "tmp", 0);
        if (tmp_) clean_temporary();
        for (const char* top : {"thumbs", "attachments"}) {
            // An administrator may well have put this folder elsewhere, by a link.
            auto folder = open_below(root_.get(), top, 0);
            if (!folder && errno != ENOENT)
                return fail(Cause::internal, "cannot look into {}: {}", (root / top).string(),
                            std::strerror(errno));
            if (folder) walk(std::move(folder), top, 1);
        }
        remove_least_used();
        remove_empty_folders();
        return removed_;
    }

private:
    struct Found {
        std::string folder, name;
        WallTime used;
        std::uint64_t bytes = 0;
    };

    bool is_in_use(WallTime used) const { return used > rules_.now - in_use && used < rules_.now + in_use; }

    void each_name(int folder, const std::function<void(const char*, const struct stat&)>& visit) {
        UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const std::unique_ptr<DIR, CloseListing> listing(own ? ::fdopendir(own.get()) : nullptr);
        if (!listing) return;
        own.release();
        while (const auto* found = ::readdir(listing.get())) {
            const char* name = &found->d_name[0];
            if (stop_.stop_requested()) return;
            struct stat status {};
            if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0 &&
                ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
                visit(name, status);
        }
    }

    void clean_temporary() {
        each_name(tmp_.get(), [&](const char* name, const struct stat& status) {
            if (S_ISREG(status.st_mode) && used_at(status) < rules_.now - temporary_age)
                ::unlinkat(tmp_.get(), name, 0);
        });
    }

    /// Removes what is too old and notes the rest.
    void walk(UniqueFd folder, const std::string& path, int level) {
        bool is_empty = true;
        std::vector<std::string> folders;
        each_name(folder.get(), [&](const char* name, const struct stat& status) {
            is_empty = false;
            if (S_ISDIR(status.st_mode)) folders.emplace_back(name);
            if (!S_ISREG(status.st_mode)) return;
            Found file{path, name, used_at(status), static_cast<std::uint64_t>(status.st_size)};
            if (file.used < rules_.now - rules_.max_age && remove(folder.get(), file)) return;
            total_ += file.bytes;
            found_.push_back(std::move(file));
        });
        if (is_empty && level > 1) emptied_.insert(path);
        if (level == most_levels) return;
        for (const auto& name : folders) {
            auto below = open_below(folder.get(), name.c_str(), O_NOFOLLOW);
            if (below && !stop_.stop_requested()) walk(std::move(below), path + '/' + name, level + 1);
        }
    }

    void remove_least_used() {
        if (total_ <= rules_.max_bytes) return;
        std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
            return std::tie(a.used, a.folder, a.name) < std::tie(b.used, b.folder, b.name);
        });
        for (const auto& file : found_) {
            if (total_ <= rules_.max_bytes || stop_.stop_requested()) return;
            const auto folder = open_path(file.folder);
            if (folder && remove(folder.get(), file)) total_ -= file.bytes;
        }
    }

    /// The folder of that path below the root, by no link but its first part.
    UniqueFd open_path(const std::string& path) const {
        auto end = path.find('/');
        auto folder = open_below(root_.get(), path.substr(0, end).c_str(), 0);
        while (folder && end != std::string::npos) {
            const auto begin = end + 1;
            end = path.find('/', begin);
            folder = open_below(folder.get(), path.substr(begin, end - begin).c_str(), O_NOFOLLOW);
        }
        return folder;
    }

    /// Whether it is gone. It stays where it is in use, or where its folder is.
    bool remove(int folder, const Found& file) {
        if (is_in_use(file.used)) return false;
        const auto claim = claims_.for_cleaning(file.folder);
        if (!claim) return false;
        const auto* name = file.name.c_str();
        struct stat status {};
        if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || used_at(status) != file.used)
            return false;
        if (!take_away(folder, name, file.used)) return false;
        ++removed_.files;
        removed_.bytes += file.bytes;
        emptied_.insert(file.folder);
        return true;
    }

    /// Another process may use or replace the file after it was looked at: it is moved aside, where nobody
    /// can, looked at again, and put back if it is not what it was.
    bool take_away(int folder, const char* name, WallTime used) const {
        const auto aside = unique_name();
        if (!tmp_ || ::renameat(folder, name, tmp_.get(), aside.c_str()) != 0)
            return ::unlinkat(folder, name, 0) == 0;
        struct stat status {};
        const bool same = ::fstatat(tmp_.get(), aside.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                          used_at(status) == used;
        if (!same && ::linkat(tmp_.get(), aside.c_str(), folder, name, 0) != 0 && errno != EEXIST)
            ::renameat(tmp_.get(), aside.c_str(), folder, name);  // where there are no links
        ::unlinkat(tmp_.get(), aside.c_str(), 0);
        return same;
    }

    void remove_empty_folders() {
        for (auto path : emptied_) {
            for (auto slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
                if (stop_.stop_requested()) return;
                const auto claim = claims_.for_cleaning(path);
                if (!claim) break;
                const auto name = path.substr(slash + 1);
                const auto parent = open_path(path.substr(0, slash));
                if (!parent || ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0) break;
                path.resize(slash);
            }
        }
    }

    const CleaningRules& rules_;
    FolderClaims& claims_;
    std::stop_token stop_;
    UniqueFd root_, tmp_;
    std::vector<Found> found_;
    std::set<std::string> emptied_;  // candidates
    std::uint64_t total_ = 0;
    Removed removed_;
};

}  // namespace

Result<Removed> clean_cache(const std::filesystem::path& root, const CleaningRules& rules,
                            FolderClaims& claims, std::stop_token stop) {
    return Cleaner(rules, claims, std::move(stop)).run(root);
}

}  // namespace sg::retriever
