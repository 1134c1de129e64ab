// A daemon on a bad day that does not end: everything that may happen to it, over and over, while events
// come. SG_SOAK_SECONDS says how long (default an hour), SG_TEST_SEED repeats a run's order. Labelled long.

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "e2e/resources.hpp"
#include "seed.hpp"

namespace soak_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::chrono::seconds time_of_soak() {
    const char* given = std::getenv("SG_SOAK_SECONDS");
    return std::chrono::seconds(given != nullptr ? std::atoi(given) : 3600);
}

/// Keeps what the site has, so that it can be compared with what the plugins wrote down.
class Events {
public:
    explicit Events(sandbox::Site& site) : site_(site) {}

    void add(const sandbox::EventSpec& spec = {}) {
        std::lock_guard lock(mutex_);
        ids_.push_back(site_.add_event(spec));
        ++count_;
    }
    /// Appears between others, half a second late: long before the daemon gives it up.
    void add_late() {
        sandbox::EventSpec spec;
        spec.hidden = true;
        std::lock_guard lock(mutex_);
        ids_.push_back(site_.add_event(spec));
        ++count_;
        site_.show_later(ids_.back(), 500ms);
    }
    /// An id that never comes.
    void skip() {
        std::lock_guard lock(mutex_);
        site_.skip_event_ids(1);
    }
    /// 40 MB of them, which is more than the daemon keeps of pages: from then on it forgets one for each that
    /// comes, and its memory is to be level.
    void add_large() {
        sandbox::EventSpec large;
        large.meta = {{"type", "attribute_change"}, {"new_value", std::string(20'000, 'x')}};
        for (int i = 0; i < 2000; ++i) add(large);
    }
    std::vector<std::int64_t> take() {
        std::lock_guard lock(mutex_);
        return std::exchange(ids_, {});
    }
    std::size_t count() const { return count_; }

private:
    sandbox::Site& site_;
    std::mutex mutex_;
    std::vector<std::int64_t> ids_;
    std::atomic<std::size_t> count_{0};
};

class Soak {
public:
    // A thread that has asked the site for something may keep its connection, or have lost it to some
    // trouble.
    static constexpr std::size_t connections = 8;
    static constexpr std::size_t more_kb = 16'384 + kb_kept_by_sanitizer;

    Soak()
        : home_(site_,
                {scripted("steady"),
                 scripted("fails",
                          {{"rules",
                            {{{"do", "throw"}, {"every", 97}, {"attempts", 2}},
                             {{"do", "throw_error"}, {"cause", "busy"}, {"every", 53}, {"attempts", 1}}}}}),
                 scripted("crashes", {{"rules", {{{"do", "crash"}, {"every", 701}, {"attempts", 1}}}}}),
                 scripted("threaded", {{"rules", {{{"do", "throw"}, {"every", 89}, {"attempts", 1}}}}},
                          {{"isolation", "thread"}})},
                {{"reload", {{"interval", "200ms"}, {"settle", "100ms"}}},
                 {"log", {{"level", "warning"}}},
                 {"site",
                  {{"gap_timeout", "10s"},
                   {"first_byte_timeout", "1s"},
                   {"stall_timeout", "1s"},
                   {"request_timeout", "5s"}}}}) {
        site_.add_event({});
        for (const auto& name : names_) expected_[name];
    }

    void run(std::chrono::seconds time) {
        const auto begun = SteadyClock::now(), end = begun + time;
        const auto life = std::max<std::chrono::seconds>(20s, time / 12);
        start();
        for (int lives = 1; SteadyClock::now() < end; ++lives) {
            events_.add_large();
            mischief(life / 4, Kill::no);
            const auto level = settle("begun");
            mischief(life / 2, Kill::no);
            const auto now = settle("ended");
            // Memory that is kept for the next time is there after the first quarter.
            if (!now.is_within(level, more_kb, connections))
                worse_.push_back(text(level) + " became " + text(now));
            if (lives % 2 == 0) {
                CHECK(daemon_->terminate() == Ended{0, 0});
                ++done_["restarts"];
                start();
            } else {
                mischief(life / 4, Kill::yes);
            }
        }
        settle("last");
        CHECK(daemon_->terminate() == Ended{0, 0});
        for (const auto& one : worse_) UNSCOPED_INFO(one);
        CHECK(worse_.empty());
        for (const auto& one : wrong_) UNSCOPED_INFO(one);
        CHECK(wrong_.empty());
        std::cout << "seed " << seed_ << ", "
                  << std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - begun).count()
                  << " s, " << events_.count() << " events, " << again_
                  << " calls repeated after a kill or a crash";
        for (const auto& [what, times] : done_) std::cout << ", " << times << " " << what;
        std::cout << std::endl;
    }

private:
    enum class Kill { no, yes };

    static std::string text(const Resources& held) { return (std::ostringstream() << held).str(); }

    void start() {
        daemon_ = std::make_unique<Daemon>(home_);
        REQUIRE(daemon_->wait_until_followed(names_));
    }

    /// A trouble every second or so, and fifty events a second.
    void mischief(std::chrono::seconds time, Kill kill) {
        const std::jthread feeder([this](const std::stop_token& stop) {
            auto next = SteadyClock::now();
            while (!stop.stop_requested()) {
                events_.add();
                std::this_thread::sleep_until(next += 20ms);
            }
        });
        const auto end = SteadyClock::now() + time;
        while (SteadyClock::now() < end) {
            trouble();
            std::this_thread::sleep_for(std::chrono::milliseconds(pick(200, 1500)));
        }
        if (kill == Kill::no) return;
        daemon_->kill();
        ++done_["kills"];
        start();
    }

    void trouble() {
        switch (pick(0, 7)) {
            case 0:
                ++done_["outages"];
                pick(0, 1) == 0 ? site_.refuse_connections() : site_.ignore_connections();
                std::this_thread::sleep_for(std::chrono::milliseconds(pick(100, 2000)));
                site_.accept_connections();
                break;
            case 1:
                ++done_["late rows"];
                events_.add_late();
                break;
            case 2:
                ++done_["missing ids"];
                events_.skip();
                break;
            case 3:
                ++done_["bad answers"];
                bad_answer();
                break;
            case 4:
                ++done_["SIGHUPs"];
                daemon_->signal(SIGHUP);
                break;
            case 5:
                ++done_["bursts"];
                for (int i = 0; i < 200; ++i) events_.add();
                break;
            default:
                ++done_["replaced plugins"];
                replace(names_[static_cast<std::size_t>(pick(0, static_cast<int>(names_.size()) - 1))]);
        }
    }

    void bad_answer() {
        switch (pick(0, 4)) {
            case 0:
                site_.inject(sandbox::Fault::status(503).times(2));
                break;
            case 1:
                site_.inject(sandbox::Fault::html());
                break;
            case 2:
                site_.inject(sandbox::Fault::cut_in_body());
                break;
            case 3:
                site_.inject(sandbox::Fault::reset());
                break;
            default:
                site_.silence_connections();
        }
    }

    void replace(const std::string& plugin) {
        const auto beside = home_.path() / "plugins/.new", file = home_.path() / "plugins" / (plugin + ".so");
        std::filesystem::copy_file(scripted(plugin).library, beside,
                                   std::filesystem::copy_options::overwrite_existing);
        std::ofstream(beside, std::ios::app | std::ios::binary) << "build " << ++builds_;
        std::filesystem::rename(beside, file);
    }

    int pick(int from, int to) { return std::uniform_int_distribution(from, to)(random_); }

    /// Lets the daemon come to rest, compares what was handled with what there is, and measures.
    Resources settle(const char* when) {
        site_.clear_faults();
        site_.accept_connections();
        for (const auto id : events_.take())
            for (auto& [name, ids] : expected_) ids.emplace(id, 0);
        for (const auto& name : names_) {
            const auto is_done = [&] {
                read(name);
                return std::all_of(expected_[name].begin(), expected_[name].end(),
                                   [](const auto& one) { return one.second > 0; });
            };
            const bool done = wait_for(is_done, 180s);
            INFO(name << "\n" << daemon_->log());
            REQUIRE(done);
        }
        // Hosts that were replaced have ended, nothing is owed and nothing of the past is kept.
        REQUIRE(wait_for([&] { return daemon_->hosts().size() == names_.size() - 1; }, 180s));
        for (const auto& name : names_)
            REQUIRE(wait_for([&] { return daemon_->pending(name).value_or(-1) == 0; }, 180s));
        for (auto& [name, ids] : expected_) {
            handled_[name].clear();
            for (const auto& [id, times] : ids) handled_[name].insert(id);
            ids.clear();
        }
        const auto held = at_level();
        std::cout << std::setw(6) << events_.count() << " events, " << when << ": " << held << std::endl;
        return held;
    }

    /// A connection or a thread may be on its way out: what counts is what stays.
    Resources at_level() {
        auto least = resources_of(daemon_->pid());
        for (int i = 0; i < 20; ++i) {
            std::this_thread::sleep_for(100ms);
            const auto now = resources_of(daemon_->pid());
            least.descriptors = std::min(least.descriptors, now.descriptors);
            least.threads = std::min(least.threads, now.threads);
            least.children = std::min(least.children, now.children);
            least.libraries = std::min(least.libraries, now.libraries);
            least.kb = std::min(least.kb, now.kb);
        }
        return least;
    }

    /// Counts what the plugin has written down since the last time. Only what a kill or a crash has
    /// interrupted may be there twice, and then it says so.
    void read(const std::string& name) {
        std::ifstream in(home_.journal(name), std::ios::binary);
        in.seekg(static_cast<std::streamoff>(read_[name]));
        for (std::string line; std::getline(in, line) && !in.eof();) {
            read_[name] += line.size() + 1;
            const auto said = json::parse(line);
            if (said.at("phase") != "end") continue;
            const auto id = said.at("event").get<std::int64_t>();
            const auto found = expected_[name].find(id);
            const bool is_first = found != expected_[name].end() && found->second++ == 0;
            if (is_first) continue;
            if (said.at("redelivered") == true &&
                (found != expected_[name].end() || handled_[name].count(id) > 0))
                ++again_;
            else
                wrong_.push_back(name + " handled what it should not have: " + line);
        }
    }

    const unsigned seed_ = seed_of_run();
    std::mt19937 random_{seed_};
    const std::vector<std::string> names_{"steady", "fails", "crashes", "threaded"};
    sandbox::Site site_;
    Home home_;
    Events events_{site_};
    std::unique_ptr<Daemon> daemon_;
    int builds_ = 0;
    std::map<std::string, std::map<std::int64_t, int>> expected_;  // how often each was handled
    std::map<std::string, std::set<std::int64_t>> handled_;        // up to the last rest
    std::map<std::string, std::size_t> read_;                      // bytes of each journal
    std::map<std::string, int> done_;
    std::size_t again_ = 0;
    std::vector<std::string> wrong_, worse_;
};

}  // namespace

TEST_CASE("C82 a daemon on a bad day handles each event once, and holds no more in the end") {
    Soak().run(time_of_soak());
}

}  // namespace soak_test
