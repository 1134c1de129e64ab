#pragma once
// What a process holds, read from outside.

#include <filesystem>
#include <fstream>
#include <iomanip>
#include <ostream>
#include <set>
#include <sstream>
#include <string>

namespace sg::test {

struct Resources {
    std::size_t descriptors = 0, threads = 0, children = 0;
    std::size_t libraries = 0;  ///< files mapped whose name has ".so"
    std::size_t kb = 0;         ///< memory of its own: neither files nor what is shared

    /// No more of anything that is counted, but for so many connections that are kept for the next request;
    /// memory never returns to the byte.
    bool is_within(const Resources& limit, std::size_t more_kb, std::size_t connections = 0) const {
        return descriptors <= limit.descriptors + connections && threads <= limit.threads &&
               children <= limit.children && libraries <= limit.libraries && kb <= limit.kb + more_kb;
    }
};

inline std::ostream& operator<<(std::ostream& out, const Resources& held) {
    return out << held.descriptors << " descriptors, " << held.threads << " threads, " << held.children
               << " processes below it, " << held.libraries << " libraries, " << held.kb << " kB";
}

inline Resources resources_of(int pid) {
    namespace fs = std::filesystem;
    const fs::path process = "/proc/" + std::to_string(pid);
    Resources held;
    std::error_code gone;
    for (fs::directory_iterator at(process / "fd", gone), end; !gone && at != end; at.increment(gone))
        ++held.descriptors;
    for (fs::directory_iterator at(process / "task", gone), end; !gone && at != end; at.increment(gone)) {
        ++held.threads;
        std::ifstream children(at->path() / "children");
        for (int child = 0; children >> child;) ++held.children;
    }
    std::set<std::string> files;
    std::ifstream maps(process / "maps");
    for (std::string line; std::getline(maps, line);)
        if (const auto at = line.find('/'); at != std::string::npos && line.find(".so") != std::string::npos)
            files.insert(line.substr(at));
    held.libraries = files.size();
    std::ifstream status(process / "status");
    for (std::string word; status >> word;)
        if (word == "RssAnon:") status >> held.kb;
    return held;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t kb_kept_by_sanitizer = 1'000'000;  // it frees nothing at once
#else
inline constexpr std::size_t kb_kept_by_sanitizer = 0;
#endif

}  // namespace sg::test
