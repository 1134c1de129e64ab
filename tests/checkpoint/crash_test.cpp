// Processes that are killed, and a disk that is full.
#include <sys/resource.h>
#include <sys/wait.h>
#include <csignal>
#include <fstream>
#include <functional>
#include <random>

#include "fixture.hpp"
#include "util/fd.hpp"

using namespace sg;
using namespace sg::test;
namespace fs = std::filesystem;

namespace {

/// A child of this process, alone in it, that ends with `body`'s number. Killed at the end.
class Child {
public:
    explicit Child(const std::function<int()>& body) : pid_(::fork()) {
        if (pid_ == 0) ::_exit(body());
    }
    ~Child() { kill(); }
    void kill() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
        wait();
    }
    int wait() {
        int status = -1;
        if (pid_ > 0) ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_;
};

}  // namespace

TEST_CASE("C12 a process killed while writing loses nothing that was durable") {
    StateFixture state;
    std::mt19937_64 random(std::random_device{}());
    EventId reached = 0;
    for (int round = 0; round < 15; ++round) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        UniqueFd from(ends[0]), to(ends[1]);
        Child child([&] {
            from.reset();
            auto store = state.try_open();
            if (!store) return 2;
            for (EventId id = reached + 1;; ++id) {
                Batch batch;
                batch.set_progress("a", {0, id, id});
                batch.set_progress("b", {0, id, id});
                checkpoint::Pending row;
                row.plugin = "a";
                row.event = id;
                row.callback = "c";
                row.body = std::string(500, 'x');
                batch.put_pending(row);
                batch.erase_pending("a", id - 3, "c");
                (*store)->apply(std::move(batch), Urgency::settled);
                if (!(*store)->flush(10s)) return 3;
                if (::write(to.get(), &id, sizeof id) != sizeof id) return 4;
            }
        });
        to.reset();
        EventId told = 0;
        const auto stop_after = 5 + random() % 40;
        for (std::uint64_t n = 0; n < stop_after; ++n)
            REQUIRE(::read(from.get(), &told, sizeof told) == sizeof told);
        child.kill();
        while (::read(from.get(), &told, sizeof told) == sizeof told) {
        }
        const auto store = state.open();
        const auto& found = store->snapshot();
        CHECK_FALSE(found.clean);
        REQUIRE(found.plugins.size() == 2);
        reached = found.plugins.at("a").cursor;
        CHECK(reached >= told);
        CHECK(reached <= told + 1);
        CHECK(found.plugins.at("b").cursor == reached);
        CHECK(found.pending.size() == 3);
        CHECK(found.pending.back().event == reached);
    }
}

TEST_CASE("C15 on a full disk nothing is truncated, and what was unsaved is saved when there is room") {
    StateFixture state;
    {
        const auto store = state.open();
        store->apply(progress("notes", 100), Urgency::settled);
        REQUIRE(store->close(10s));
    }
    // A limit on the size of files refuses like a full disk does, and needs no disk of our own.
    Child child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        auto store = state.try_open();
        if (!store) return 2;
        const rlimit small{64 * 1024, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &small);
        EventId id = 101;
        for (; (*store)->flush(10s); ++id) {
            Batch batch = progress("notes", id);
            checkpoint::Pending row;
            row.plugin = "notes";
            row.event = id;
            row.callback = "c";
            row.body = std::string(3000, 'x');
            batch.put_pending(row);
            (*store)->apply(std::move(batch), Urgency::settled);
            if (id > 1000) return 3;
        }
        if (read_number(state.file(), "SELECT max(cursor) FROM plugin") != id - 2) return 4;
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &none);
        if (!wait_for([&] { return (*store)->unsaved() == 0; })) return 5;
        std::ofstream(state.temp / "reached") << id - 1;
        return 0;  // without closing, as if killed
    });
    REQUIRE(child.wait() == 0);
    EventId reached = 0;
    std::ifstream(state.temp / "reached") >> reached;
    REQUIRE(reached > 101);
    const auto store = state.open();
    CHECK(store->snapshot().plugins.at("notes").cursor == reached);
    CHECK(store->snapshot().pending.size() == static_cast<std::size_t>(reached - 100));
}

TEST_CASE("C22 the lock of a killed process is free at once") {
    StateFixture state;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    UniqueFd from(ends[0]), to(ends[1]);
    Child child([&] {
        auto store = state.try_open();
        const char up = store ? 'y' : 'n';
        if (::write(to.get(), &up, 1) != 1) return 1;
        ::pause();
        return 0;
    });
    char up = 0;
    REQUIRE(::read(from.get(), &up, 1) == 1);
    REQUIRE(up == 'y');
    CHECK_FALSE(state.try_open());
    child.kill();
    CHECK(state.try_open());
}
