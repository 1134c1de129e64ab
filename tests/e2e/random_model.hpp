#pragma once
// What each callback of a randomised run must have had, and what it may have had besides.

#include <map>
#include <random>
#include <set>

#include "e2e/daemon.hpp"

namespace sg::test::random_run {

using Id = std::int64_t;

/// What a callback does with an event, the same in every run of the seed.
struct Fate {
    enum class Kind { succeeds, throws, crashes, is_slow };
    Kind kind = Kind::succeeds;
    int attempts = 0;  ///< that end so
};

/// A copy of the scripted plugin, and what is expected of it.
struct Actor {
    std::string name;
    std::vector<std::string> callbacks{"first"};
    std::string only_type{};  ///< empty: every event
    std::string on_failure = "retry";
    bool strict = false;
    std::map<std::pair<Id, std::string>, Fate> fates{};  ///< of those that do not just succeed

    static constexpr int most_attempts = 4, most_crashes = 3;

    bool wants(const std::string& type) const { return only_type.empty() || only_type == type; }
    Fate fate(Id event, const std::string& callback) const {
        const auto found = fates.find({event, callback});
        return found == fates.end() ? Fate{} : found->second;
    }
    /// How it must end: in success, in a dead letter, or in nothing more than one try.
    enum class End { success, letter, skipped };
    End end(Id event, const std::string& callback) const {
        const auto fate = this->fate(event, callback);
        if (fate.attempts > 0 && on_failure == "skip") return End::skipped;
        if (fate.kind == Fate::Kind::throws && fate.attempts >= most_attempts) return End::letter;
        if (fate.kind == Fate::Kind::crashes && fate.attempts >= most_crashes) return End::letter;
        return End::success;
    }
    TestPlugin plugin() const;
};

/// A line of a journal.
struct Line {
    Id event = 0;
    std::string callback;
    bool is_end = false;
    bool is_first_try = true;
    int pid = 0;
    std::int64_t at = 0;  ///< CLOCK_MONOTONIC, ns
};

/// A journal that grows, read as it does.
class GrowingJournal {
public:
    explicit GrowingJournal(std::filesystem::path file) : file_(std::move(file)) {}
    /// All lines so far.
    const std::vector<Line>& lines();
    /// How often a callback has ended well with an event.
    int ended(Id event, const std::string& callback) const;
    int begun(Id event, const std::string& callback) const;
    /// In how many processes it was begun.
    int processes(Id event, const std::string& callback) const;

private:
    std::filesystem::path file_;
    std::uintmax_t read_ = 0;
    std::vector<Line> lines_;
    struct Counts {
        int begun = 0, ended = 0;
        std::set<int> pids{};
    };
    std::map<std::pair<Id, std::string>, Counts> counts_;
};

/// What the disk says of one plugin.
struct Stored {
    Id cursor = 0;
    std::set<std::pair<Id, std::string>> pending, letters;
    bool has_settled(Id event, const std::string& callback) const {
        return event <= cursor && pending.count({event, callback}) == 0 && pending.count({event, ""}) == 0;
    }
};

/// Of every plugin that is known there. Only where no daemon writes: takes in what a killed one left.
std::map<std::string, Stored> read_stored(const Home& home);
/// The same while one runs: nullopt where it cannot be read just now.
std::optional<std::map<std::string, Stored>> peek_stored(const Home& home);

/// A moment at which a daemon was killed and nothing of it ran any more.
struct Killed {
    std::map<std::string, Stored> disk;
    std::map<std::string, std::size_t> lines;  ///< of each plugin's journal
    std::int64_t at = 0;                       ///< of the kill itself
};

struct Shown {
    std::string type;
    bool late = false;  ///< at some time a newer one could be seen and it could not
};

/// Everything a journal can be wrong about; empty if it is right.
std::vector<std::string> faults_of(const Actor& actor, GrowingJournal& journal,
                                   const std::map<Id, Shown>& rows, const std::vector<Killed>& kills,
                                   const Stored& at_last);

/// Whether the actor has had all that it must, so far as its journal and the disk say.
bool has_had_all(const Actor& actor, GrowingJournal& journal, const std::map<Id, Shown>& rows,
                 const Stored& now);

}  // namespace sg::test::random_run
