// One script of a site's day, under clocks that are set, wrong or moved: what is delivered is the same.

#include <time.h>

#include <cstdlib>
#include <random>

#include "fixture.hpp"
#include "seed.hpp"

namespace clocks_test {

using namespace sg;
using namespace sg::test;

namespace {

constexpr EventId start = 100;
constexpr int script_seconds = 400, all_seconds = 1200;

/// What the site does in one second.
struct Second {
    std::vector<EventId> shown;
    bool is_away = false;
};

/// Rows come in order; some are seen later, in time or after their gap was given up, and some never.
std::vector<Second> make_script(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    std::vector<Second> script(all_seconds);
    EventId id = start;
    int away_until = 0;
    for (int second = 0; second < script_seconds; ++second) {
        if (below(60) == 0) away_until = second + 5 + static_cast<int>(below(15));
        script[static_cast<std::size_t>(second)].is_away = second < away_until;
        for (auto rows = below(4); rows > 0; --rows) {
            ++id;
            auto when = second;
            switch (below(12)) {
                case 0:
                    when += 1 + static_cast<int>(below(200));
                    break;  // late
                case 1:
                    when += 420 + static_cast<int>(below(200));
                    break;  // very late
                case 2:
                    continue;  // never
                default:
                    break;
            }
            script[static_cast<std::size_t>(when)].shown.push_back(id);
        }
    }
    script[script_seconds].shown.push_back(id + 1);  // the newest of all is no hole
    return script;
}

/// What happens to the clocks; the daemon's says 0 s when it starts, as the site's does.
struct Clocks {
    const char* name;
    std::chrono::seconds site_ahead{0};                // always
    std::map<int, std::chrono::seconds> daemon_set{};  // at this second it is set by so much
    std::map<int, const char*> zones{};                // at this second TZ becomes this
};

struct Delivered {
    std::vector<EventId> ids;
    std::size_t very_late = 0;
};

Delivered play(const std::vector<Second>& script, const Clocks& clocks) {
    StreamFixture f;
    const auto begin = f.clock.utc();
    f.seen(start);
    auto& lane = f.lanes.add(start);
    f.start();
    for (int second = 0; second < all_seconds; ++second) {
        if (const auto set = clocks.daemon_set.find(second); set != clocks.daemon_set.end())
            f.clock.set_utc(f.clock.utc() + set->second);
        if (const auto zone = clocks.zones.find(second); zone != clocks.zones.end()) {
            ::setenv("TZ", zone->second, 1);
            ::tzset();
        }
        const auto site_time = begin + std::chrono::seconds(second) + clocks.site_ahead;
        f.site.set_clock_ahead(std::chrono::floor<std::chrono::seconds>(site_time - f.clock.utc()));
        const auto& now = script[static_cast<std::size_t>(second)];
        for (const auto id : now.shown) f.site.show(id, site_time);
        f.site.fail_always(now.is_away ? std::optional(Failure{Cause::network, "away", 0, 0, {}})
                                       : std::nullopt);
        f.pass(1s, 1s);
    }
    ::unsetenv("TZ");
    ::tzset();
    return {sorted(lane.got), f.lanes.very_late};
}

}  // namespace

TEST_CASE("clocks that are set, wrong or moved to another zone make no difference in what is delivered") {
    const auto script = make_script(seed_of_run());
    const auto usual = play(script, {"usual"});
    std::vector<EventId> shown;
    for (const auto& second : script) shown.insert(shown.end(), second.shown.begin(), second.shown.end());
    CHECK(usual.ids == sorted(shown));
    CHECK(usual.very_late > 0);

    const std::vector<Clocks> all = {
        {"set ahead and back", 0s, {{50, 1h}, {120, -2h}, {200, 1h}, {350, 26h}, {380, -26h}}},
        {"set back for good", 0s, {{100, -24h * 400}}},
        {"set ahead for good", 0s, {{100, 24h * 400}}},
        {"a site that is slow", -90s},
        {"a site an hour behind, and a clock that is set", -1h, {{60, 30min}, {250, -45min}}},
        {"a site that is fast", 10min},
        {"a journey", 0s, {}, {{40, "America/Los_Angeles"}, {90, "Asia/Kolkata"}, {180, "Pacific/Chatham"}}},
    };
    for (const auto& clocks : all) {
        INFO(clocks.name);
        const auto got = play(script, clocks);
        CHECK(got.ids == usual.ids);
        CHECK(got.very_late == usual.very_late);
    }
}

}  // namespace clocks_test
