// What the schema cache answers, and when it asks.

#include <random>
#include <thread>

#include "retriever_cache/schema_fixture.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

TEST_CASE("a schema is asked for once, and until it is there names are the technical ones") {
    SchemaRig rig;
    CHECK(rig.cache->schema() == nullptr);
    CHECK(rig.cache->type_name("Shot") == "Shot");
    CHECK(rig.cache->field_name("Shot", "code") == "code");
    CHECK(rig.cache->status_name("ip") == "ip");
    CHECK(rig.loader.asked() == std::vector<std::int64_t>{0, statuses});
    rig.loader.next()(schema_named("Plan"));
    rig.loader.next()(json::array({{{"code", "ip"}, {"name", "In Progress"}}, 7, {{"code", "x"}}}));
    CHECK(*rig.cache->schema() == schema_named("Plan"));
    CHECK(rig.cache->type_name("Shot") == "Plan");
    CHECK(rig.cache->type_name("Asset") == "Asset");
    CHECK(rig.cache->field_name("Shot", "code") == "Plan Code");
    CHECK(rig.cache->field_name("Version", "entity.Shot.code") == "Plan Code");
    CHECK(rig.cache->field_name("Version", "entity.Shot.none") == "entity.Shot.none");
    CHECK(rig.cache->field_name("Version", ".code") == ".code");
    CHECK(rig.cache->status_name("ip") == "In Progress");
    CHECK(rig.cache->status_name("x") == "x");
    CHECK(rig.asked() == 2);
    CHECK(rig.log.lines().empty());
}

TEST_CASE("each project has a schema of its own") {
    SchemaRig rig;
    rig.cache->schema(7);
    rig.cache->schema(8);
    rig.cache->schema(7);
    CHECK(rig.loader.asked() == std::vector<std::int64_t>{7, 8});
    rig.loader.next()(schema_named("seven"));
    CHECK(rig.cache->type_name("Shot", 7) == "seven");
    CHECK(rig.cache->schema(8) == nullptr);
    CHECK(rig.cache->schema(-1) == nullptr);
    CHECK(rig.cache->schema(-2) == nullptr);
    rig.cache->when_schema(-1, rig.waiter());
    CHECK(rig.failed == std::vector{Cause::invalid});
    CHECK(rig.asked() == 2);
}

TEST_CASE("a clock that was set back does not keep a schema for ever") {
    SchemaRig rig;
    rig.cache->schema();
    rig.loader.next()(schema_named("a"));
    rig.clock->set_utc(rig.clock->utc() - 24h);
    CHECK(rig.cache->schema() != nullptr);
    CHECK(rig.asked() == 2);
}

TEST_CASE("a load that is stopped, or that nobody answers, is made again by the next lookup") {
    SchemaRig rig;
    rig.cache->when_schema(7, rig.waiter());
    SECTION("stopped") { rig.loader.next()(refusal(Cause::stopped)); }
    SECTION("dropped") { rig.loader.next(); }
    CHECK(rig.failed == std::vector{Cause::stopped});
    CHECK(rig.log.count("[SCHEMA-NOT-LOADED]") == 1);
    CHECK(rig.log.lines().front().level == LogLevel::debug);
    rig.cache->schema(7);
    CHECK(rig.asked() == 2);
    rig.loader.next()(schema_named("a"));
    CHECK(rig.cache->type_name("Shot", 7) == "a");
    CHECK(rig.failed.size() == 1);
    CHECK(rig.known.empty());
}

TEST_CASE("a load that fails is said, leaves what was known, and is not repeated by every lookup") {
    SchemaRig rig;
    rig.cache->schema();
    rig.loader.next()(schema_named("old"));
    rig.clock->advance(2h);
    rig.cache->schema();
    SECTION("the site refuses") { rig.loader.next()(refusal(Cause::network)); }
    SECTION("the answer is something else") { rig.loader.next()(json{{"types", json::object()}}); }
    CHECK(rig.log.count("[SCHEMA-NOT-LOADED]") == 1);
    CHECK(rig.log.lines().front().level == LogLevel::warning);
    CHECK(rig.cache->type_name("Shot") == "old");
    rig.clock->advance(29s);
    CHECK(rig.cache->type_name("Shot") == "old");
    CHECK(rig.asked() == 2);
    rig.clock->advance(1s);
    CHECK(rig.cache->type_name("Shot") == "old");
    CHECK(rig.asked() == 3);
}

TEST_CASE("who waits has it tried again at once") {
    SchemaRig rig;
    rig.cache->schema();
    rig.loader.next()(refusal(Cause::busy));
    rig.cache->schema();
    CHECK(rig.asked() == 1);
    rig.cache->when_schema(0, rig.waiter());
    CHECK(rig.asked() == 2);
    rig.loader.next()(refusal(Cause::busy));
    CHECK(rig.failed == std::vector{Cause::busy});
}

TEST_CASE("a waiter is told once, and of its own project") {
    SchemaRig rig;
    rig.cache->when_schema(7, rig.waiter());
    rig.cache->when_schema(7, rig.waiter());
    rig.cache->schema(8);
    rig.cache->when_statuses(rig.waiter());
    auto seven = rig.loader.next(), eight = rig.loader.next(), rows = rig.loader.next();
    eight(schema_named("eight"));
    CHECK(rig.known.empty());
    seven(schema_named("seven"));
    CHECK(rig.known == std::vector{schema_named("seven"), schema_named("seven")});
    rows(json::array());
    CHECK(rig.known.size() == 3);
    rig.clock->advance(2h);
    rig.cache->schema(7);
    rig.loader.next()(schema_named("again"));
    CHECK(rig.known.size() == 3);
    rig.cache->when_schema(7, rig.waiter());
    CHECK(rig.known.back() == schema_named("again"));
    CHECK(rig.asked() == 4);
}

TEST_CASE("an answer that comes twice, or after its load has ended, changes nothing") {
    SchemaRig rig;
    rig.cache->schema();
    auto done = rig.loader.next();
    done(schema_named("first"));
    done(schema_named("second"));
    CHECK(rig.cache->type_name("Shot") == "first");
    rig.clock->advance(2h);
    rig.cache->schema();
    done(schema_named("second"));
    CHECK(rig.cache->type_name("Shot") == "first");
    rig.loader.next()(schema_named("third"));
    CHECK(rig.cache->type_name("Shot") == "third");
}

TEST_CASE("a loader may answer within the call, and may throw") {
    SchemaRig rig;
    rig.loader.at_once = [](const auto& done) { done(schema_named("now")); };
    rig.cache->when_schema(0, rig.waiter());
    CHECK(rig.known.size() == 1);
    CHECK(rig.cache->type_name("Shot") == "now");
    rig.loader.at_once = [](const auto&) { throw std::runtime_error("closed"); };
    rig.cache->when_schema(7, rig.waiter());
    CHECK(rig.failed == std::vector{Cause::internal});
    CHECK(rig.log.count("closed") == 1);
}

TEST_CASE("listeners are told of each load that succeeded") {
    std::vector<std::int64_t> schemas;
    int rows = 0;
    SchemaCacheOptions options;
    options.on_schema = [&](std::int64_t project) { schemas.push_back(project); };
    options.on_statuses = [&] { ++rows; };
    SchemaRig rig(options);
    rig.cache->schema(7);
    rig.cache->schema(0);
    rig.cache->statuses();
    rig.loader.next()(schema_named("a"));
    rig.loader.next()(refusal(Cause::network));
    CHECK(rows == 0);
    rig.loader.next()(json::array());
    CHECK(schemas == std::vector<std::int64_t>{7});
    CHECK(rows == 1);
    rig.reopen();
    CHECK(rig.cache->schema(7) != nullptr);
    CHECK(schemas.size() == 1);
}

TEST_CASE("a cache that ends during a load tells its waiters, and the answer finds nobody") {
    SchemaRig rig;
    rig.cache->when_schema(7, rig.waiter());
    auto done = rig.loader.next();
    rig.cache.reset();
    CHECK(rig.failed == std::vector{Cause::stopped});
    done(schema_named("late"));
    CHECK(rig.failed.size() == 1);
    CHECK(rig.known.empty());
    CHECK_FALSE(fs::exists(rig.file("project-7")));
}

TEST_CASE("two caches on one loader keep to their own loads") {
    SchemaRig rig;
    SchemaCache other(rig.options, rig.loader, rig.log);
    rig.cache->when_schema(7, rig.waiter());
    CHECK(other.schema(8) == nullptr);
    auto seven = rig.loader.next(), eight = rig.loader.next();
    eight(schema_named("eight"));
    CHECK(rig.known.empty());
    CHECK(other.type_name("Shot", 8) == "eight");
    CHECK(other.type_name("Shot", 7) == "Shot");
    seven(schema_named("seven"));
    CHECK(rig.known.size() == 1);
    CHECK(rig.cache->type_name("Shot", 7) == "seven");
}

TEST_CASE("every waiter of many threads is told once, whatever becomes of the loads") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    SchemaCacheOptions options;
    options.most_in_memory = 3;
    options.refresh_after = 0min;
    SchemaRig rig(options);
    std::atomic<int> told = 0, wrong = 0;
    std::atomic<bool> ends = false;
    constexpr int each = 300;
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(seed + t);
            for (int i = 0; i < each; ++i) {
                const auto project = static_cast<std::int64_t>(random() % 8);
                rig.cache->when_schema(project, [&, project](Result<SchemaCache::Document> result) {
                    ++told;
                    if (result && **result != schema_named(std::to_string(project))) ++wrong;
                });
                if (const auto known = rig.cache->schema(project);
                    known && *known != schema_named(std::to_string(project)))
                    ++wrong;
            }
        });
    std::jthread site([&] {
        std::mt19937 random(seed + 4);
        std::size_t taken = 0;
        while (!ends || taken < rig.asked()) {
            const auto asked = rig.loader.asked();
            if (taken == asked.size()) {
                std::this_thread::yield();
                continue;
            }
            const auto project = asked[taken++];
            const auto done = rig.loader.try_next();
            if (!done) {
                --taken;
            } else if (const auto what = random() % 4; what == 0) {
                done(refusal(Cause::network));
            } else if (what != 1) {
                done(schema_named(std::to_string(project)));
            }
        }
    });
    threads.clear();
    ends = true;
    site.join();
    CHECK(told == 4 * each);
    CHECK(wrong == 0);
}
