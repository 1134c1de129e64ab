// Events that are given up: when, with what of them kept, and how they come back.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;
using checkpoint::DeadLetterPtr;
using dispatch::WhenFull;

namespace {

dispatch::Settings three_attempts() {
    dispatch::Settings settings;
    settings.failure.attempts = 3;
    return settings;
}

/// What is on the disk, read by the next daemon.
std::vector<DeadLetterPtr> letters(Rig& rig) {
    rig.crash();
    rig.boot();
    return rig.store->snapshot().dead_letters;
}

bool never(const Call&) { return false; }

void fail_with(Rig& rig, const GenerationPtr& plugin, Cause cause) {
    auto outcome = plugin->end(false);
    outcome.cause = cause;
    rig.dispatcher->on_outcomes(*plugin, {outcome});
    rig.settle_loop();
}

}  // namespace

TEST_CASE("C63 an event that always fails becomes one dead letter, and the others are handled") {
    Rig rig(100, three_attempts());
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(101, 105);
    for (int i = 0; i < 5; ++i) {
        rig.run(plugin, [](const Call& call) { return call.event != 101; });
        rig.pass(10s);
    }
    CHECK(plugin->journal.size() == 7);
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.status("p").dead == 1);
    CHECK(rig.status("p").cursor == 105);
    CHECK(rig.log.count("[DEAD-LETTER]") == 1);
    rig.pass(1h);
    CHECK(plugin->is_idle());

    const auto found = letters(rig);
    REQUIRE(found.size() == 1);
    const auto& letter = *found.front();
    CHECK(letter.plugin == "p");
    CHECK(letter.event == 101);
    CHECK(letter.callback == "all");
    CHECK(letter.attempts == 3);
    CHECK(letter.why == "3 attempts failed");
    CHECK(letter.type == "Shotgun_Shot_Change");
    CHECK(letter.attribute == "code");
    CHECK(letter.body == std::string(100, 'x'));
    CHECK(letter.history.build == "0123");
    REQUIRE(letter.history.errors.size() == 3);
    for (std::uint32_t i = 0; i < 3; ++i) {
        CHECK(letter.history.errors[i].attempt == i + 1);
        CHECK(letter.history.errors[i].text == "it broke");
    }
    CHECK(letter.history.errors.front().at < letter.history.errors.back().at);
    CHECK(rig.store->snapshot().pending.empty());
}

TEST_CASE("C64 a dead letter that is retried is one call, the next attempt, marked as redelivered") {
    Rig rig(100, three_attempts());
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 101);
    for (int i = 0; i < 3; ++i) {
        rig.run(first, never);
        rig.pass(10s);
    }
    const auto found = letters(rig);
    REQUIRE(found.size() == 1);
    checkpoint::Batch batch;
    batch.try_again(*found.front(), checkpoint::Instant{});
    rig.store->apply(std::move(batch), checkpoint::Urgency::settled);
    CHECK(letters(rig).empty());
    rig.begin();
    const auto second = rig.load("p");
    rig.settle_loop();
    REQUIRE(second->waiting() == 1);
    CHECK(second->next() == Call{101, "all", 4, true});
    SECTION("the cause is gone") {
        rig.run(second);
        CHECK(rig.status("p").pending == 0);
        CHECK(rig.status("p").dead == 0);
        CHECK(letters(rig).empty());
    }
    SECTION(
        "the cause is still there: it has as many attempts as a new one, and its errors are not forgotten") {
        for (int i = 0; i < 5; ++i) {
            rig.run(second, never);
            rig.pass(1h);
        }
        CHECK(second->journal.size() == 3);
        const auto again = letters(rig);
        REQUIRE(again.size() == 1);
        CHECK(again.front()->attempts == 6);
        CHECK(again.front()->history.errors.front().attempt == 1);
        CHECK(again.front()->history.errors.back().attempt == 6);
    }
}

TEST_CASE("C64 dead letters are tried again and dropped while the lanes run") {
    Rig rig(100, three_attempts());
    rig.begin();
    const auto plugin = rig.load("p"), other = rig.load("q");
    rig.live(101, 103);
    for (int i = 0; i < 3; ++i) {
        rig.run(plugin, never);
        rig.run(other);
        rig.pass(10s);
    }
    REQUIRE(rig.dispatcher->dead_letters()->size() == 3);
    CHECK(rig.dispatcher->retry_letters({"q", {}, {}}, "somebody") == 0);
    CHECK(rig.dispatcher->retry_letters({"p", 102, {}}, "somebody") == 1);
    CHECK(rig.dispatcher->dead_letters()->size() == 2);
    CHECK(rig.status("p").dead == 2);
    CHECK(rig.log.count("[DEAD-LETTER-RETRIED]") == 1);
    SECTION("a kill before it was handed out") {
        CHECK(letters(rig).size() == 2);
        REQUIRE(rig.store->snapshot().pending.size() == 1);
        CHECK(rig.store->snapshot().pending.front().event == 102);
        CHECK(rig.store->snapshot().pending.front().redelivered);
    }
    SECTION("it is handed out once what it owes is on the disk") {
        REQUIRE(wait_for([&] {
            rig.settle_loop();
            return plugin->waiting() == 1;
        }));
        CHECK(plugin->next() == Call{102, "all", 4, true});
        rig.run(plugin);
        CHECK(rig.status("p").pending == 0);
        CHECK(rig.dispatcher->drop_letters({{}, 103, "all"}, "somebody") == 1);
        CHECK(rig.log.count("[DEAD-LETTER-DROPPED]") == 1);
        rig.pass(1h);
        CHECK(plugin->is_idle());
        const auto left = letters(rig);
        REQUIRE(left.size() == 1);
        CHECK(left.front()->event == 101);
    }
}

TEST_CASE("an outage of the site, or a credential it does not know, uses up no attempt") {
    auto settings = three_attempts();
    const auto cause =
        GENERATE(Cause::network, Cause::timed_out, Cause::busy, Cause::authentication, Cause::permission,
                 Cause::bad_request, Cause::bad_answer, Cause::invalid, Cause::internal);
    const bool excused = cause == Cause::network || cause == Cause::timed_out || cause == Cause::busy ||
                         cause == Cause::authentication;
    INFO(to_string(cause));
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(101, 101);
    for (int i = 0; i < 20 && !plugin->is_idle(); ++i) {
        fail_with(rig, plugin, cause);
        rig.pass(10min);
    }
    CHECK(plugin->journal.size() == (excused ? 20 : 3));
    CHECK(rig.status("p").pending == (excused ? 1 : 0));
    CHECK(rig.status("p").dead == (excused ? 0 : 1));
}

TEST_CASE("attempts and their errors are counted across restarts, and so is the time that was waited") {
    auto settings = three_attempts();
    settings.failure.give_up_after = 10min;
    const auto cause = GENERATE(Cause::internal, Cause::busy);
    Rig rig(100, settings);
    rig.begin();
    auto plugin = rig.load("p");
    rig.live(101, 101);
    std::size_t calls = 0;
    for (int i = 0; i < 100 && rig.status("p").dead == 0; ++i) {
        REQUIRE(plugin->waiting() == 1);
        ++calls;
        fail_with(rig, plugin, cause);
        rig.crash();
        rig.boot();
        rig.begin();
        plugin = rig.load("p");
        rig.pass(10min);
    }
    const auto found = letters(rig);
    REQUIRE(found.size() == 1);
    CHECK(found.front()->attempts == calls);
    if (cause == Cause::internal) {
        CHECK(calls == 3);
    } else {
        CHECK(calls > 8);
        CHECK(found.front()->history.waited >= 10min);
        CHECK(found.front()->why.find("tried for") != std::string::npos);
    }
}

TEST_CASE("an event that ends its host again and again is a dead letter, with how and in which build") {
    Rig rig;
    rig.begin();
    auto plugin = rig.load("p");
    rig.live(101, 103);
    for (int death = 0; death < 3; ++death) {
        while (plugin->next().event != 101) rig.finish_one(plugin);
        rig.end(plugin, {"killed by SIGSEGV", {plugin->begin_next()}, "the frames\n#0 boom"});
        plugin = rig.load("p");
        rig.settle_loop();
        while (!plugin->is_idle() && plugin->next().event != 101) rig.finish_one(plugin);
        rig.pass(10s);
    }
    CHECK(plugin->is_idle());
    CHECK(rig.status("p").cursor == 103);
    const auto found = letters(rig);
    REQUIRE(found.size() == 1);
    const auto& letter = *found.front();
    CHECK(letter.event == 101);
    CHECK(letter.attempts == 3);
    CHECK(letter.why == "its host died 3 times");
    CHECK(letter.redelivered);
    CHECK(letter.history.crashes == 3);
    CHECK(letter.history.trace == "the frames\n#0 boom");
    CHECK(letter.history.build == "0123");
    REQUIRE(letter.history.errors.size() == 3);
    CHECK(letter.history.errors[2].crashed);
    CHECK(letter.history.errors[2].text == "killed by SIGSEGV");
}

TEST_CASE(
    "C69 when every call fails, letters are bounded, told of before, and then what was chosen happens") {
    auto settings = three_attempts();
    settings.failure.attempts = 1;
    settings.dead_letters.per_plugin = 100;
    settings.pending_rows = 50;
    settings.dead_letters.when_full = GENERATE(WhenFull::hold, WhenFull::drop_oldest);
    const bool hold = settings.dead_letters.when_full == WhenFull::hold;
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(101, 180);
    rig.run(plugin, never);
    CHECK(rig.status("p").dead == 80);
    CHECK(rig.log.count("[DEAD-LETTERS-FILLING]") == 1);
    CHECK(rig.log.count("[DEAD-LETTERS-FULL]") == 0);
    rig.live(181, 1100);
    rig.run(plugin, never);
    CHECK(rig.status("p").dead == 100);
    CHECK(rig.log.count("[DEAD-LETTERS-FILLING]") == 1);
    CHECK(rig.log.count("[DEAD-LETTERS-FULL]") == 1);
    if (hold) {
        CHECK(rig.status("p").state == dispatch::LaneState::held);
        CHECK(rig.status("p").pending >= 50);
        CHECK(rig.status("p").pending < 600);  // what was in hand by then
    } else {
        CHECK(rig.status("p").pending == 0);
        CHECK(rig.status("p").cursor == 1100);
    }
    const auto found = letters(rig);
    REQUIRE(found.size() == 100);
    CHECK(found.front()->event == (hold ? 101 : 1001));
    CHECK(found.back()->event == (hold ? 200 : 1100));
}

TEST_CASE("dead letters that come in numbers are told of once a minute") {
    auto settings = three_attempts();
    settings.failure.attempts = 1;
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(101, 150);
    rig.run(plugin, never);
    CHECK(rig.log.count("[DEAD-LETTER] An event is given up and kept") == 1);
    CHECK(rig.log.count("[DEAD-LETTERS-MORE]") == 0);
    rig.pass(1min);
    CHECK(rig.log.count(
              "[DEAD-LETTERS-MORE] More events were given up since. plugin=p events=49 letters=50") == 1);
    rig.pass(10min);
    CHECK(rig.log.count("[DEAD-LETTERS-MORE]") == 1);
}

TEST_CASE("C65 what a callback that skips fails on is said once, counted, and settled") {
    const bool crashes = GENERATE(false, true);
    Rig rig;
    rig.begin();
    auto plugin = rig.load("p", {{"all", {}, OnFailure::skip}});
    rig.live(101, 103);
    if (crashes) {
        rig.end(plugin, {"killed by SIGSEGV", {plugin->begin_next()}, {}});
        plugin = rig.load("p", {{"all", {}, OnFailure::skip}});
    }
    rig.run(plugin, [](const Call& call) { return call.event != 101; });
    CHECK(rig.log.count("[CALL-SKIPPED]") == 1);
    CHECK(rig.status("p").skipped == 1);
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.status("p").cursor == 103);
    CHECK(letters(rig).empty());
    rig.begin();
    const auto second = rig.load("p", {{"all", {}, OnFailure::skip}});
    rig.pass(1h);
    CHECK(second->is_idle());
}
