// Ten thousand hosts come and go; nothing of them stays. Labelled long.

#include <dirent.h>
#include <malloc.h>
#include <sys/wait.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

std::size_t files_below(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::recursive_directory_iterator(directory), fs::recursive_directory_iterator()));
}

std::size_t children() {
    std::size_t count = 0;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream in(task.path() / "children");
        for (int pid = 0; in >> pid;) ++count;
    }
    return count;
}

std::size_t resident_kb() {
    std::ifstream in("/proc/self/smaps_rollup");
    std::string word;
    std::size_t kb = 0;
    while (in >> word)
        if (word == "Rss:" && in >> kb) break;
    return kb;
}

/// What a process may leave behind.
struct Leftovers {
    std::size_t descriptors = entries("/proc/self/fd");
    std::size_t threads = entries("/proc/self/task");
    std::size_t processes = children();
    std::size_t files = 0;
    std::size_t kb = resident_kb();
};

int restarts_wanted() {
    const char* given = std::getenv("SG_TEST_RESTARTS");
    return given != nullptr ? std::atoi(given) : 10'000;
}

}  // namespace

TEST_CASE("10,000 host restarts leave no descriptor, process, thread, memory or file") {
    // What a plugin's file is read into goes back to the system, not to what the allocator keeps for the
    // next.
    ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
    const int wanted = restarts_wanted();
    Rig rig({"exits"});
    rig.start();
    const auto forget = [&] {
        rig.owner.ends.clear();
        rig.owner.outcomes["exits"].clear();
        rig.log.clear();
        rig.logs["exits"].clear();
    };
    const auto measure = [&] {
        forget();
        Leftovers now;
        now.files = files_below(rig.dir.path());
        return now;
    };
    std::optional<Leftovers> first;
    const auto begun = std::chrono::steady_clock::now();
    for (int restart = 1; restart <= wanted; ++restart) {
        REQUIRE(rig.wait_ready("exits", restart));
        // By turns it dies in the middle of an event, and is replaced by a new generation of itself.
        if (restart % 2 == 0) {
            rig.deliver("exits", {{make_event(1), {0}, 1, false}, {make_event(2, "Bad"), {0}, 1, false}});
        } else {
            rig.deliver("exits", 1);
            REQUIRE(rig.wait_outcomes("exits", 1));
            rig.set->load("exits");
        }
        REQUIRE(rig.wait([&] { return rig.owner.ends.size() == 1; }));
        forget();
        // What is allocated once, and kept for the next time, is there after the first few.
        if (restart != std::min(200, wanted / 2) && restart % 500 != 0) continue;
        REQUIRE(rig.wait_ready("exits", restart + 1));
        const auto now = measure();
        if (!first) first = now;
        std::printf("%5d restarts, %.0f s: %zu descriptors, %zu threads, %zu children, %zu files, %zu kB\n",
                    restart, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(),
                    now.descriptors, now.threads, now.processes, now.files, now.kb);
        std::fflush(stdout);
    }
    REQUIRE(rig.wait_ready("exits", wanted + 1));
    const auto last = measure();
    REQUIRE(first);
    CHECK(last.descriptors == first->descriptors);
    CHECK(last.threads == first->threads);
    CHECK(last.processes == first->processes);
    CHECK(last.processes == 1);
    CHECK(last.files == first->files);
    // 100 bytes a restart would be a megabyte.
    CHECK(last.kb <= first->kb + 1024);
}
