// Does the sandbox stay as quick when it holds 100,000 entities and 1,000,000 events?
//
// Each question is asked over HTTP of a small site and of a large one, in turns and in the same run; what
// counts is the ratio. The answers are of the same size at both.

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <random>

#include "sandbox/site.hpp"
#include "tests/sandbox/raw_http.hpp"

namespace {

using namespace sg;
using sandbox::Id;
using sandbox::Json;
using sandbox::link_to;
using SteadyClock = std::chrono::steady_clock;

constexpr Id tasks_of_a_shot = 3, shots_of_a_sequence = 25;

long resident_kb() {
    std::ifstream in("/proc/self/statm");
    long all = 0, resident = 0;
    in >> all >> resident;
    return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

/// A site with so many entities and events, the events spread over the shots.
class Filled {
public:
    Filled(Id entities, Id events) : client_(site_.url()), events_(events) {
        const auto before_entities = resident_kb();
        const auto project = site_.add("Project", {{"name", "P"}});
        Id sequence = 0, count = 0;
        while (count < entities) {
            if (shots_ % shots_of_a_sequence == 0)
                sequence = site_.add("Sequence", {{"code", fmt::format("q{}", shots_)},
                                                  {"project", link_to("Project", project)}});
            ++shots_;
            const auto shot = site_.add("Shot", {{"code", fmt::format("sh{:06}", shots_)},
                                                 {"project", link_to("Project", project)},
                                                 {"sg_sequence", link_to("Sequence", sequence)}});
            for (Id i = 0; i < tasks_of_a_shot; ++i)
                site_.add("Task", {{"content", "Comp"},
                                   {"project", link_to("Project", project)},
                                   {"entity", link_to("Shot", shot)}});
            count += 1 + tasks_of_a_shot;
        }
        const auto before_events = resident_kb();
        entity_kb_ = before_events - before_entities;
        sandbox::EventSpec event;
        event.attribute_name = "sg_status_list";
        event.project = link_to("Project", project);
        event.user = link_to("ApiUser", 1);
        first_event_ = site_.newest_id() + 1;
        for (Id i = 0; i < events; ++i) {
            event.entity = link_to("Shot", 1 + i % shots_);
            event.meta = {{"type", "attribute_change"}, {"attribute_name", "sg_status_list"},
                          {"entity_type", "Shot"},      {"entity_id", 1 + i % shots_},
                          {"old_value", "wtg"},         {"new_value", "ip"}};
            event.description = "The sg_status_list of a shot was changed";
            site_.add_event(event);
        }
        event_kb_ = resident_kb() - before_events;
    }

    Id shots() const { return shots_; }
    double bytes_per_event() const {
        return static_cast<double>(event_kb_) * 1024 / static_cast<double>(events_);
    }
    long entity_kb() const { return entity_kb_; }

    std::size_t events_after(std::mt19937& random) {
        const auto after =
            first_event_ + static_cast<Id>(random() % static_cast<unsigned long>(events_ - 500));
        return client_
            .rows("EventLogEntry", {test::condition("id", "greater_than", after)},
                  {"id", "event_type", "attribute_name", "meta", "entity", "user", "project", "session_uuid",
                   "created_at"},
                  {{"sorts", {{{"field_name", "id"}, {"direction", "asc"}}}}})
            .size();
    }
    std::size_t newest_event(std::mt19937&) {
        return client_
            .rows("EventLogEntry", {}, {"id"},
                  {{"sorts", {{{"field_name", "id"}, {"direction", "desc"}}}},
                   {"paging", {{"entities_per_page", 1}, {"current_page", 1}}}})
            .size();
    }
    std::size_t shot_by_id(std::mt19937& random) {
        return client_
            .rows("Shot", {test::condition("id", "is", any_shot(random))}, {"code", "sg_status_list"})
            .size();
    }
    std::size_t tasks_of_shot(std::mt19937& random) {
        return client_
            .rows("Task", {test::condition("entity", "is", link_to("Shot", any_shot(random)))},
                  {"content", "entity"})
            .size();
    }
    std::size_t events_of_shot(std::mt19937& random) {
        return client_
            .rows("EventLogEntry", {test::condition("entity", "is", link_to("Shot", any_shot(random)))},
                  {"event_type", "created_at"},
                  {{"paging", {{"entities_per_page", 10}, {"current_page", 1}}}})
            .size();
    }
    std::size_t update(std::mt19937& random) {
        const Json params{{"type", "Shot"},
                          {"id", any_shot(random)},
                          {"fields", {{{"field_name", "description"}, {"value", std::to_string(random())}}}}};
        return client_.results("update", params).contains("id") ? 1 : 0;
    }

private:
    Id any_shot(std::mt19937& random) const {
        return 1 + static_cast<Id>(random() % static_cast<unsigned long>(shots_));
    }

    sandbox::Site site_;
    test::RawClient client_;
    Id events_, shots_ = 0, first_event_ = 0;
    long entity_kb_ = 0, event_kb_ = 0;
};

using Question = std::function<std::size_t(Filled&, std::mt19937&)>;

/// Rows per second, the best of some rounds of a fifth of a second.
std::array<double, 2> ask(const Question& question, Filled& small, Filled& large) {
    std::array<double, 2> best{};
    std::mt19937 random(1);
    for (int round = 0; round < 6; ++round)
        for (std::size_t i = 0; i < 2; ++i) {
            auto& site = i == 0 ? small : large;
            const auto begin = SteadyClock::now();
            std::size_t rows = 0;
            while (SteadyClock::now() - begin < std::chrono::milliseconds(200))
                rows += question(site, random);
            const std::chrono::duration<double> took = SteadyClock::now() - begin;
            if (round > 0) best[i] = std::max(best[i], static_cast<double>(rows) / took.count());
        }
    return best;
}

}  // namespace

int main() {
    Filled small(1'000, 10'000);
    const auto begin = SteadyClock::now();
    Filled large(100'000, 1'000'000);
    fmt::print(
        "filled with 100,000 entities and 1,000,000 events in {:.1f} s; {:.0f} bytes per event, {:.0f} MB of "
        "entities\n\n",
        std::chrono::duration<double>(SteadyClock::now() - begin).count(), large.bytes_per_event(),
        static_cast<double>(large.entity_kb()) / 1024);
    fmt::print("{:<44} {:>12} {:>12} {:>7}\n", "rows per second", "small", "large", "ratio");
    const std::array<std::pair<const char*, Question>, 6> questions{
        {{"read: 500 events after an id", &Filled::events_after},
         {"read: the newest event", &Filled::newest_event},
         {"read: a shot by id", &Filled::shot_by_id},
         {"read: the tasks of a shot", &Filled::tasks_of_shot},
         {"read: 10 events of a shot", &Filled::events_of_shot},
         {"update: a shot", &Filled::update}}};
    for (const auto& [name, question] : questions) {
        const auto rows = ask(question, small, large);
        fmt::print("{:<44} {:>12.0f} {:>12.0f} {:>7.2f}\n", name, rows[0], rows[1], rows[1] / rows[0]);
    }
}
