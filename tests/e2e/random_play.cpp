#include "e2e/random_play.hpp"

#include <fmt/format.h>
#include <time.h>

#include <iostream>

#include "catch.hpp"
#include "e2e/random_model.hpp"

namespace sg::test::random_run {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using sandbox::Fault;

constexpr Id start = 100;
constexpr Id last_with_a_fate = 180;

std::int64_t monotonic_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool is_gone(int pid) {
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto state = stat.rfind(')');
    return state == std::string::npos || stat.size() <= state + 2 || stat[state + 2] == 'Z';
}

class Player {
public:
    Player(std::uint64_t seed, const std::string& isolation)
        : random_(seed), may_crash_(isolation == "process"), actors_(make_actors()) {
        site_.add_event(event(start));
        std::vector<TestPlugin> plugins;
        for (const auto& actor : actors_) plugins.push_back(actor.plugin());
        home_ =
            std::make_unique<Home>(site_, std::move(plugins),
                                   json{{"plugin_defaults", {{"isolation", isolation}}},
                                        {"site", {{"page_size", 1 + below(12)}, {"gap_timeout", "10min"}}},
                                        {"retries", {{"longest", "100ms"}}}});
        for (const auto& actor : actors_)
            journals_.emplace(actor.name, GrowingJournal(home_->journal(actor.name)));
    }

    void play() {
        begin();
        const auto steps = 15 + below(15);
        for (std::uint64_t i = 0; i < steps; ++i) step();
        say("all is well");
        site_.accept_connections();
        site_.clear_faults();
        for (const auto id : std::set<Id>(hidden_)) show(id);
        const bool done = wait_for([&] { return is_done(); }, 120s);
        if (!done) faults_.emplace_back("not done after 120 s");
        daemon_->wait_for_log("[STARTING]");  // before that a signal ends it as it ends any program
        if (daemon_->terminate() != Ended{0, 0}) faults_.emplace_back("the daemon did not end in order");
        const auto disk = read_stored(*home_);
        for (const auto& actor : actors_) {
            const auto stored = disk.find(actor.name);
            for (auto& fault : faults_of(actor, journals_.at(actor.name), rows_, kills_,
                                         stored == disk.end() ? Stored{} : stored->second))
                faults_.push_back(std::move(fault));
        }
        if (read_file(home_->log()).find("[LANE-OUTCOME]") != std::string::npos)
            faults_.emplace_back("an outcome came that nobody waited for");
    }

    const std::vector<std::string>& faults() const { return faults_; }
    std::string story() const {
        constexpr std::size_t most = 20'000;
        auto log = read_file(home_->log());
        if (const char* keep = std::getenv("SG_KEEP_LOG")) std::ofstream(keep) << log;
        if (log.size() > most) log = "…" + log.substr(log.size() - most);
        return acts_ + log;
    }
    std::size_t kills() const { return kills_.size(); }
    std::size_t events() const { return rows_.size(); }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool chance(unsigned percent) { return below(100) < percent; }
    void say(const std::string& act) { acts_ += act + "\n"; }

    // Who plays.

    std::vector<Actor> make_actors() {
        std::vector<Actor> actors{{"all"}, {"pair"}, {"some"}};
        actors[1].callbacks = {"first", "second", "third"};
        actors[2].only_type = "Shotgun_Task_Change";
        actors[2].on_failure = chance(50) ? "halt" : "skip";
        actors[2].strict = chance(50);
        if (chance(30)) actors.push_back({"slow"});
        for (auto& actor : actors)
            for (Id id = start + 1; id <= last_with_a_fate; ++id)
                for (const auto& callback : actor.callbacks)
                    if (const auto fate = make_fate(actor); fate.kind != Fate::Kind::succeeds)
                        actor.fates[{id, callback}] = fate;
        return actors;
    }

    Fate make_fate(const Actor& actor) {
        const auto dice = below(1000);
        const bool for_good =
            below(4) == 0 && actor.on_failure != "halt";  // that one would stand there for ever
        if (actor.name == "slow" && dice < 700) return {Fate::Kind::is_slow, 0};
        if (dice < 20) return {Fate::Kind::is_slow, 0};
        if (dice < 80) return {Fate::Kind::throws, 1 + static_cast<int>(below(2))};
        if (dice < 140 && for_good) return {Fate::Kind::throws, 1000};
        // Rare: a host that died is started again after a second, and then two.
        if (dice >= 140 && dice < 143 && may_crash_) return {Fate::Kind::crashes, for_good ? 1000 : 1};
        return {};
    }

    // What happens.

    void step() {
        switch (below(12)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return add_rows();
            case 4:
                if (!hidden_.empty())
                    show(*std::next(hidden_.begin(), static_cast<long>(below(hidden_.size()))));
                return;
            case 5:
            case 6:
                return spoil();
            case 7:
                return reach_or_refuse();
            case 8:
            case 9:
                return progress();
            default:
                return restart();
        }
    }

    void add_rows() {
        const auto count = 1 + below(8);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto row = event(++newest_);
            row.event_type = chance(50) ? "Shotgun_Shot_Change" : "Shotgun_Task_Change";
            row.attribute_name = "code";
            row.hidden = chance(15);
            rows_[newest_] = {*row.event_type, row.hidden};
            site_.add_event(row);
            if (row.hidden) hidden_.insert(newest_);
        }
        say(fmt::format("{} rows, to {}", count, newest_));
    }
    void show(Id id) {
        say(fmt::format("{} is shown", id));
        hidden_.erase(id);
        site_.show(id);
    }

    void spoil() {
        const std::vector<Fault> all{Fault::status(500),
                                     Fault::status(503),
                                     Fault::status(429),
                                     Fault::cut_in_body(),
                                     Fault::close(),
                                     Fault::reset(),
                                     Fault::html(),
                                     Fault::of(sandbox::FaultKind::truncated_json),
                                     Fault::of(sandbox::FaultKind::rows_reversed),
                                     Fault::of(sandbox::FaultKind::row_twice),
                                     Fault::of(sandbox::FaultKind::row_below),
                                     Fault::of(sandbox::FaultKind::unknown_field),
                                     Fault::honest().after(60ms)};
        const auto& fault = all[below(all.size())];
        const auto times = 1 + below(2);
        say(fmt::format("{} times {}", times, name_of(fault.kind)));
        site_.inject(fault.on("read", "EventLogEntry").times(times));
    }

    void reach_or_refuse() {
        away_ = !away_;
        say(away_ ? "the site is away" : "the site is back");
        away_ ? site_.refuse_connections() : site_.accept_connections();
    }

    /// Until some more calls were made; or, where none come, until the site was asked some more.
    void progress() {
        const auto lines = line_count() + 1 + below(20);
        const auto requests = site_.request_count() + 1 + below(4);
        say("some calls");
        const auto limit = away_ ? 50ms : 20'000ms;
        wait_for([&] { return line_count() >= lines || site_.request_count() >= requests; }, limit);
    }

    void restart() {
        if (kills_.size() + stops_ >= 4) return;
        if (chance(70)) progress();
        if (chance(25)) {
            say("stopped");
            ++stops_;
            const auto ended = daemon_->terminate();
            // Before it has said a word it has not come to hear of signals either, nor touched anything.
            const bool too_early = ended == Ended{-1, SIGTERM} && daemon_->log().empty();
            if (ended != Ended{0, 0} && !too_early)
                faults_.push_back(fmt::format("a stopped daemon ended with {} {}", ended.code, ended.signal));
        } else {
            say("killed");
            kill();
        }
        begin();
    }

    void begin() { daemon_ = std::make_unique<Daemon>(*home_); }

    void kill() {
        const auto hosts = daemon_->hosts();
        Killed moment;
        moment.at = monotonic_now();
        daemon_->kill();
        for (const int host : hosts)
            if (!wait_for([&] { return is_gone(host); })) faults_.emplace_back("a host outlived its daemon");
        moment.disk = read_stored(*home_);
        for (auto& [name, journal] : journals_) moment.lines[name] = journal.lines().size();
        kills_.push_back(std::move(moment));
    }

    std::size_t line_count() {
        std::size_t count = 0;
        for (auto& [name, journal] : journals_) count += journal.lines().size();
        return count;
    }

    bool is_done() {
        const auto disk = peek_stored(*home_);
        if (!disk) return false;
        for (const auto& actor : actors_) {
            const auto stored = disk->find(actor.name);
            if (stored == disk->end()) return false;
            if (!has_had_all(actor, journals_.at(actor.name), rows_, stored->second)) return false;
        }
        return true;
    }

    std::mt19937_64 random_;
    bool may_crash_;
    sandbox::Site site_;
    std::vector<Actor> actors_;
    std::unique_ptr<Home> home_;
    std::map<std::string, GrowingJournal> journals_;
    std::unique_ptr<Daemon> daemon_;
    std::map<Id, Shown> rows_;
    std::set<Id> hidden_;
    Id newest_ = start;
    bool away_ = false;
    std::size_t stops_ = 0;
    std::vector<Killed> kills_;
    std::vector<std::string> faults_;
    std::string acts_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::stoull(text);
}

}  // namespace

void play_seeds(const std::string& isolation, std::uint64_t usual) {
    const auto count = number_from("SG_SEEDS", usual);
    const auto first = number_from("SG_FIRST_SEED", std::random_device{}());
    std::cout << "SG_SEEDS=" << count << " SG_FIRST_SEED=" << first << std::endl;
    std::size_t kills = 0, events = 0;
    for (auto seed = first; seed < first + count; ++seed) {
        INFO("SG_SEEDS=1 SG_FIRST_SEED=" << seed << ", isolation " << isolation);
        Player player(seed, isolation);
        player.play();
        kills += player.kills();
        events += player.events();
        if (player.faults().empty()) continue;
        std::string all;
        for (const auto& fault : player.faults()) all += fault + "\n";
        INFO(player.story());
        INFO(all);
        CHECK(player.faults().empty());
    }
    std::cout << count << " seeds, " << events << " events, " << kills << " kills" << std::endl;
    CHECK(events > 0);
}

}  // namespace sg::test::random_run
