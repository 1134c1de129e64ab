#pragma once
// People at work in a sandbox site.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/site.hpp"

namespace sg::sandbox {

/// One thing somebody did, for people to read.
struct PlayedChange {
    /// status, reopened, asset, version, review, note, reply, closed, playlist, rename, assign
    std::string kind;
    std::string who;   ///< a person's name
    std::string what;  ///< `aur_010_0030 / Comp`
    std::string entity_type;
    Id entity = 0;
    std::string field, before, after;
    Id event = 0;  ///< id of the first event row it left
};

/// A few projects with sequences, shots, assets, tasks and people, and the people's doings.
///
/// Work goes on in a handful of shots at a time: their tasks move from waiting over in progress and
/// review to final, now and then back; a shot whose tasks are all final makes room for the next, and
/// some are reopened. What is worked on gets versions; versions are put on playlists, reviewed, and
/// get notes; notes get replies and are closed. With the default rate, 20 seconds finish more than
/// 25 shots. It never runs out of work. The same seed does the same things in the same order,
/// whatever else is written to the site meanwhile; with the same times the rows are the same as well.
///
/// On a site that has the projects already, from a data file, work goes on where it stands there.
///
/// Threads:  every member from any thread; `on_change` is called on the thread of the doer, without
///           a lock held.
/// Lifetime: the site outlives it; the destructor stops it.
class Production {
public:
    struct Options {
        double rate = 15;  ///< changes per second
        std::uint64_t seed = 1;
        std::function<void(const PlayedChange&)> on_change{};
    };

    /// Puts the projects into `site`, without event rows: they were there before anybody looked.
    Production(Site& site, Options options);
    ~Production();

    /// Begins to play, on a thread of its own ("sandbox-play").
    void start();
    /// Ends after the change at hand. May be called twice, and without `start`.
    void stop();
    /// Does one thing now. For tests, instead of `start`.
    PlayedChange step();

    /// How many changes there were, by kind.
    std::map<std::string, std::uint64_t> counts() const;
    /// Names of the shots whose tasks were all final at least once since the beginning.
    std::vector<std::string> finished_shots() const;
    std::size_t shots() const;

private:
    struct Task {
        Id id = 0;
        std::string name, status;
        Id assigned = 0;
    };
    /// A shot or an asset.
    struct Work {
        std::string type;
        Id id = 0, project = 0;
        std::string name;
        std::vector<Task> tasks{};
        bool was_finished = false;
        int versions = 0;

        bool is_final() const;
        LinkKey key() const { return {type, id}; }
    };
    struct Person {
        Id id = 0;
        std::string name;
    };
    struct Version {
        Id id = 0, project = 0;
        std::string name, status;
        LinkKey of;
    };
    struct Note {
        Id id = 0;
        std::string subject;
        int replies = 0;
    };
    struct Playlist {
        Id id = 0;
        std::string name;
        std::vector<Id> versions{};
        int number = 0;
    };

    // production_setup.cpp
    void add_people();
    void add_steps();
    void add_project(const std::string& name, const std::string& code);
    void add_tasks(Work& work, const std::vector<std::string>& steps, std::size_t count);
    void add_shot(Id project, Id sequence, const std::string& name, const std::vector<Id>& assets);
    Id add_asset(Id project, const std::string& name, const std::string& kind);
    void take_up(Id project);
    Work found_work(const std::string& type, Id id, Id project) const;
    std::string text(const std::string& type, Id id, const std::string& field) const;

    static Caller as(Id person) { return Caller{.user = {"HumanUser", person}}; }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
    bool chance(std::size_t percent) { return below(100) < percent; }
    template <class T>
    T& any(std::vector<T>& of) {
        return of[below(of.size())];
    }
    const Person& somebody() { return any(people_); }
    Work& busy_shot() { return shots_[any(active_)]; }
    void fill_active();
    PlayedChange act();
    PlayedChange move_task();
    PlayedChange move_asset();
    PlayedChange reopen();
    PlayedChange set_status(Work& work, Task& task, const std::string& status, std::string kind);
    PlayedChange rename();
    PlayedChange assign();
    // production_review.cpp
    PlayedChange add_version();
    PlayedChange review();
    PlayedChange put_on_playlist();
    PlayedChange add_note();
    PlayedChange reply();
    PlayedChange close_note();

    Site& site_;
    const Options options_;
    mutable std::mutex mutex_;  // guards everything below but the thread
    std::mt19937_64 random_;
    std::vector<Person> people_;
    std::map<std::string, Id> steps_;
    std::vector<Work> shots_, assets_;
    std::vector<std::size_t> active_, waiting_, done_;  // indices into shots_
    std::vector<Version> in_review_;                    // the latest
    std::vector<Note> open_notes_;
    std::map<Id, Playlist> playlists_;  // by project: the one being filled
    std::map<std::string, std::uint64_t> counts_;
    std::jthread thread_;  // last: it uses everything above
};

}  // namespace sg::sandbox
