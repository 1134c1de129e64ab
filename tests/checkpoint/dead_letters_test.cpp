// Events that were given up, what is kept of them, and files of the layout before there were any.
#include <sys/wait.h>
#include <csignal>
#include <functional>
#include <random>
#include <set>

#include "checkpoint/row_sum.hpp"
#include "fixture.hpp"
#include "util/fd.hpp"

using namespace sg;
using namespace sg::test;
using checkpoint::DeadLetter;
using checkpoint::History;
using checkpoint::Instant;

namespace {

checkpoint::CallError call_error(std::uint32_t attempt) {
    return {attempt, Instant(std::chrono::milliseconds(1'772'000'000'000 + attempt)), Cause::bad_request,
            attempt % 2 == 0, "attempt " + std::to_string(attempt)};
}

DeadLetter a_letter(EventId event, const std::string& plugin = "notes") {
    DeadLetter letter;
    letter.plugin = plugin;
    letter.event = event;
    letter.callback = "on_new";
    letter.attempts = 3;
    letter.died = Instant(std::chrono::milliseconds(1'772'000'000'123 + event));
    letter.why = "3 attempts failed";
    letter.redelivered = true;
    letter.type = "Shotgun_Shot_New";
    letter.attribute = "code";
    letter.project = 70;
    letter.created_at = std::chrono::sys_seconds(std::chrono::seconds(1'772'000'000));
    letter.body = R"({"id":  1, "meta": "'; --"})";
    for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) letter.history.add(call_error(attempt));
    letter.history.crashes = 1;
    letter.history.excused = 2;
    letter.history.waited = 90s;
    letter.history.trace = "frames";
    letter.history.build = "00ff";
    return letter;
}

void put(Batch& batch, DeadLetter letter) {
    batch.put_dead_letter(std::make_shared<const DeadLetter>(std::move(letter)));
}

/// A file as the first layout had it, made by its own statements, with one owed event.
void make_first_layout(const std::filesystem::path& file) {
    std::filesystem::create_directory(file.parent_path());
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
    const auto seen = checkpoint::RowSum().add(EventId{120}).value();
    const auto plugin = checkpoint::RowSum()
                            .add(std::string_view("notes"))
                            .add(EventId{7})
                            .add(EventId{110})
                            .add(EventId{115})
                            .value();
    const auto pending = checkpoint::RowSum()
                             .add(std::string_view("notes"))
                             .add(EventId{109})
                             .add(std::string_view("on_new"))
                             .add(4)
                             .add(std::int64_t{1000})
                             .add(true)
                             .add(std::string_view("it broke"))
                             .add(std::string_view("Shotgun_Shot_New"))
                             .add(std::string_view())
                             .add(EntityId{70})
                             .add(std::int64_t{1772000000})
                             .add(std::string_view("{}"))
                             .value();
    const auto sql = fmt::format(
        R"sql(PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; PRAGMA application_id=1397179734; PRAGMA user_version=1;
CREATE TABLE stream(one INTEGER PRIMARY KEY CHECK(one=1), highest_seen INTEGER NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE ending(one INTEGER PRIMARY KEY CHECK(one=1), clean INTEGER NOT NULL);
CREATE TABLE plugin(id TEXT PRIMARY KEY, start INTEGER NOT NULL, cursor INTEGER NOT NULL,
    handed_out_through INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pending(plugin TEXT NOT NULL, event INTEGER NOT NULL, callback TEXT NOT NULL,
    attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, redelivered INTEGER NOT NULL, last_error TEXT NOT NULL,
    type TEXT NOT NULL, attribute TEXT NOT NULL, project INTEGER NOT NULL, created_at INTEGER NOT NULL,
    body TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(plugin, event, callback));
CREATE TABLE gap(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
    sum INTEGER NOT NULL);
INSERT INTO ending VALUES(1, 0);
INSERT INTO stream VALUES(1, 120, {});
INSERT INTO plugin VALUES('notes', 7, 110, 115, {});
INSERT INTO pending VALUES('notes', 109, 'on_new', 4, 1000, 1, 'it broke', 'Shotgun_Shot_New', '', 70, 1772000000,
    '{{}}', {});
COMMIT;)sql",
        seen, plugin, pending);
    char* why = nullptr;
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why);
    INFO((why != nullptr ? why : ""));
    REQUIRE(code == SQLITE_OK);
    sqlite3_close(db);
}

}  // namespace

TEST_CASE("C63 a dead letter is found again with all that was known of it") {
    StateFixture state;
    {
        const auto store = state.open();
        Batch batch = progress("notes", 5);
        put(batch, a_letter(4));
        put(batch, a_letter(3));
        put(batch, a_letter(2, "farm"));
        store->apply(std::move(batch), Urgency::settled);
        Batch later;
        later.erase_dead_letter("notes", 3, "on_new");
        store->apply(std::move(later), Urgency::settled);
        REQUIRE(store->close(10s));
    }
    const auto store = state.open();
    const auto& found = store->snapshot().dead_letters;
    REQUIRE(found.size() == 2);
    CHECK(found[0]->plugin == "farm");
    const auto& letter = *found[1];
    const auto expected = a_letter(4);
    CHECK(letter.event == 4);
    CHECK(letter.callback == expected.callback);
    CHECK(letter.attempts == 3);
    CHECK(letter.died == expected.died);
    CHECK(letter.why == expected.why);
    CHECK(letter.redelivered);
    CHECK(letter.type == expected.type);
    CHECK(letter.attribute == "code");
    CHECK(letter.project == 70);
    CHECK(letter.created_at == expected.created_at);
    CHECK(letter.body == expected.body);
    CHECK(letter.history == expected.history);
}

TEST_CASE("of many errors the first and the latest are kept, each cut, and the others are counted") {
    History history;
    for (std::uint32_t attempt = 1; attempt <= 100; ++attempt) history.add(call_error(attempt));
    REQUIRE(history.errors.size() == History::most_errors);
    CHECK(history.errors.front().attempt == 1);
    CHECK(history.errors[1].attempt == 94);
    CHECK(history.errors.back().attempt == 100);
    CHECK(history.left_out == 92);
    auto longest = call_error(101);
    longest.text = std::string(History::longest_text - 1, 'x') + "\xC3\xA4";
    history.add(longest);
    CHECK(history.errors.back().text == std::string(History::longest_text - 1, 'x'));
}

TEST_CASE("a state file of the first layout is brought up to date, and nothing of it is lost") {
    StateFixture state;
    make_first_layout(state.file());
    for (const char* when : {"by the first start", "and never again"}) {
        INFO(when);
        const auto store = state.open();
        const auto& found = store->snapshot();
        CHECK_FALSE(found.clean);
        CHECK(found.highest_seen == 120);
        CHECK(found.plugins.at("notes").cursor == 110);
        CHECK(found.dead_letters.empty());
        REQUIRE(found.pending.size() == 1);
        CHECK(found.pending[0].attempts == 4);
        CHECK(found.pending[0].last_error == "it broke");
        CHECK(found.pending[0].history == History());
    }
    auto store = state.open();
    auto row = store->snapshot().pending[0];
    row.history.add(call_error(5));
    Batch batch;
    batch.put_pending(row);
    put(batch, a_letter(108));
    store->apply(std::move(batch), Urgency::settled);
    REQUIRE(store->close(10s));
    store.reset();
    const auto again = state.open();
    REQUIRE(again->snapshot().pending.size() == 1);
    CHECK(again->snapshot().pending[0].history == row.history);
    CHECK(again->snapshot().dead_letters.size() == 1);
    CHECK(read_number(state.file(), "PRAGMA user_version") == 5);
}

TEST_CASE("C139 a pause, and what was disabled, is found again, also in a state file of the second layout") {
    StateFixture state;
    const bool is_old = GENERATE(false, true);
    if (is_old) {
        REQUIRE(state.open()->close(10s));
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(state.file().c_str(), &db) == SQLITE_OK);
        const int code = sqlite3_exec(
            db, "DROP TABLE paused; DROP TABLE watched; DROP TABLE disabled; PRAGMA user_version=2", nullptr,
            nullptr, nullptr);
        sqlite3_close(db);
        REQUIRE(code == SQLITE_OK);
    }
    const checkpoint::Paused paused{Instant(1772000000123ms), "uid 1000 (ann), pid 7"};
    {
        const auto store = state.open();
        CHECK(store->snapshot().paused.empty());
        Batch batch = progress("notes", 5);
        batch.set_paused("notes", paused);
        batch.set_paused("farm", paused);
        batch.set_disabled("farm", paused);
        batch.set_disabled("notes", paused);
        store->apply(std::move(batch), Urgency::settled);
        Batch later;
        later.set_paused("farm", std::nullopt);
        later.set_disabled("notes", std::nullopt);
        store->apply(std::move(later), Urgency::settled);
        REQUIRE(store->close(10s));
    }
    const auto store = state.open();
    CHECK(store->snapshot().paused == std::map<std::string, checkpoint::Paused>{{"notes", paused}});
    CHECK(store->snapshot().disabled == std::map<std::string, checkpoint::Disabled>{{"farm", paused}});
    CHECK(store->snapshot().plugins.at("notes").cursor == 5);
    CHECK(read_number(state.file(), "PRAGMA user_version") == 5);
}

TEST_CASE("a visitor changes what it was told to, and leaves the mark of a daemon that was killed") {
    StateFixture state;
    {
        const auto store = state.open();
        Batch batch = progress("notes", 5);
        put(batch, a_letter(4));
        store->apply(std::move(batch), Urgency::settled);
        REQUIRE(store->flush(10s));
    }
    Store::Options options;
    options.directory = state.directory;
    options.as = Store::As::visitor;
    auto visit = Store::open(options, state.clock, state.log);
    REQUIRE(visit);
    CHECK_FALSE((*visit)->snapshot().clean);
    Batch drop;
    drop.erase_dead_letter("notes", 4, "on_new");
    (*visit)->apply(std::move(drop), Urgency::settled);
    REQUIRE((*visit)->close(10s));
    visit->reset();
    const auto store = state.open();
    CHECK_FALSE(store->snapshot().clean);
    CHECK(store->snapshot().dead_letters.empty());
}

TEST_CASE("C70 after a kill each dead letter is there once, or its event is owed again, and never both") {
    StateFixture state;
    std::mt19937_64 random(std::random_device{}());
    EventId reached = 0;
    for (int round = 0; round < 10; ++round) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        UniqueFd from(ends[0]), to(ends[1]);
        const pid_t child = ::fork();
        if (child == 0) {
            auto store = state.try_open();
            if (!store) ::_exit(2);
            for (EventId id = reached + 1;; ++id) {
                // The letter of `id` takes the place of what was owed; that of ten before is tried again.
                Batch batch = progress("notes", id);
                batch.erase_pending("notes", id, "on_new");
                put(batch, a_letter(id));
                batch.erase_dead_letter("notes", id - 10, "on_new");
                checkpoint::Pending owed;
                owed.plugin = "notes";
                owed.event = id - 10;
                owed.callback = "on_new";
                batch.put_pending(owed);
                (*store)->apply(std::move(batch), Urgency::settled);
                if (!(*store)->flush(10s)) ::_exit(3);
                if (::write(to.get(), &id, sizeof id) != sizeof id) ::_exit(4);
            }
        }
        to.reset();
        EventId told = 0;
        const auto stop_after = 5 + random() % 40;
        for (std::uint64_t n = 0; n < stop_after; ++n)
            if (::read(from.get(), &told, sizeof told) != sizeof told) break;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto store = state.open();
        const auto& found = store->snapshot();
        reached = found.plugins.at("notes").cursor;
        CHECK(reached >= told);
        std::set<EventId> once;
        for (const auto& letter : found.dead_letters) CHECK(once.insert(letter->event).second);
        for (const auto& owed : found.pending)
            if (owed.event > 0) CHECK(once.insert(owed.event).second);
        CHECK(once.size() == static_cast<std::size_t>(reached));
    }
}
