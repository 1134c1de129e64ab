// What is refused when the state is opened.
#include <sys/stat.h>
#include <fstream>
#include <random>

#include "checkpoint/state_directory.hpp"
#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using checkpoint::OpenRefusal;
namespace fs = std::filesystem;

namespace {

std::string read_all(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// A state at cursor 100 with some rows beside it, closed in order.
void store_some(StateFixture& state) {
    const auto store = state.open();
    Batch batch;
    batch.set_highest_seen(120);
    for (int i = 0; i < 40; ++i) batch.set_progress("plugin" + std::to_string(i), {1, 100, 100});
    for (EventId id = 50; id < 60; ++id) {
        checkpoint::Pending row;
        row.plugin = "plugin1";
        row.event = id;
        row.callback = "on_change";
        row.body = std::string(700, 'x');
        batch.put_pending(std::move(row));
    }
    store->apply(std::move(batch), Urgency::settled);
    REQUIRE(store->close(10s));
}

void run_sql(const fs::path& file, const char* sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
}

void check_refused(StateFixture& state, OpenRefusal expected) {
    const auto store = state.try_open();
    REQUIRE_FALSE(store);
    INFO(store.error().message);
    CHECK(checkpoint::open_refusal(store.error()) == expected);
    CHECK(store.error().message.find(state.directory.string()) != std::string::npos);
}

/// Damage may be harmless, or be refused; it never shows as another state.
void check_same_or_refused(StateFixture& state, const std::string& what) {
    INFO(what);
    const auto store = state.try_open();
    if (!store) {
        CHECK(checkpoint::open_refusal(store.error()) == OpenRefusal::damaged);
        return;
    }
    const auto& found = (*store)->snapshot();
    CHECK(found.highest_seen == 120);
    CHECK(found.plugins.size() == 40);
    for (const auto& [name, row] : found.plugins) CHECK((row.start == 1 && row.cursor == 100));
    CHECK(found.pending.size() == 10);
}

}  // namespace

TEST_CASE("C22 a second store on the directory is refused and names the holder") {
    StateFixture state;
    const auto first = state.open();
    const auto second = state.try_open();
    REQUIRE_FALSE(second);
    CHECK(checkpoint::open_refusal(second.error()) == OpenRefusal::locked);
    CHECK(second.error().message.find("pid=" + std::to_string(::getpid())) != std::string::npos);
    first->apply(progress("notes", 3), Urgency::settled);
    CHECK(first->flush(10s));
}

TEST_CASE("C122 directory and files are private whatever the umask") {
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0277}}) {
        StateFixture state;
        const auto before = ::umask(mask);
        {
            const auto store = state.try_open();
            ::umask(before);
            REQUIRE(store);
            (*store)->apply(progress("notes", 3), Urgency::settled);
            REQUIRE((*store)->flush(10s));
            struct stat about {};
            REQUIRE(::stat(state.directory.c_str(), &about) == 0);
            CHECK((about.st_mode & 0777) == 0700);
            int files = 0;
            for (const auto& entry : fs::directory_iterator(state.directory)) {
                INFO(entry.path());
                REQUIRE(::stat(entry.path().c_str(), &about) == 0);
                CHECK((about.st_mode & 0777) == 0600);
                ++files;
            }
            CHECK(files == 4);
        }
    }
}

TEST_CASE("a directory that was open to others is made private") {
    StateFixture state;
    fs::create_directory(state.directory);
    fs::permissions(state.directory, fs::perms::all);
    const auto store = state.open();
    CHECK(fs::status(state.directory).permissions() == fs::perms::owner_all);
}

TEST_CASE("C13 a missing, emptied or foreign database is refused, never begun anew") {
    StateFixture state;
    store_some(state);
    SECTION("missing") { fs::remove(state.file()); }
    SECTION("emptied") { fs::resize_file(state.file(), 0); }
    SECTION("garbage") { write_all(state.file(), std::string(8192, '\x5a')); }
    SECTION("another program's") {
        fs::remove(state.file());
        run_sql(state.file(), "CREATE TABLE t(x)");
    }
    SECTION("an empty database") {
        fs::remove(state.file());
        run_sql(state.file(), "VACUUM");
    }
    SECTION("newer than we are") { run_sql(state.file(), "PRAGMA user_version=99"); }
    SECTION("lacking a table") { run_sql(state.file(), "DROP TABLE gap"); }
    SECTION("with everything taken out") { run_sql(state.file(), "DELETE FROM stream; DELETE FROM plugin"); }
    SECTION("with one number changed") {
        run_sql(state.file(), "UPDATE plugin SET cursor=101 WHERE id='plugin7'");
    }
    check_refused(state, OpenRefusal::damaged);
}

TEST_CASE("a newer database is left as it was") {
    StateFixture state;
    store_some(state);
    run_sql(state.file(), "PRAGMA user_version=99");
    const auto before = read_all(state.file());
    check_refused(state, OpenRefusal::damaged);
    CHECK(read_all(state.file()) == before);
}

TEST_CASE("a log lost before it was folded in does not look like a first start") {
    StateFixture state;
    {
        const auto store = state.open();
        store->apply(progress("notes", 100), Urgency::settled);
        REQUIRE(store->flush(10s));
        // Copied while open: as a backup that forgot the log would.
        fs::copy(state.directory, state.temp / "copy");
    }
    fs::remove_all(state.directory);
    fs::rename(state.temp / "copy", state.directory);
    REQUIRE(fs::remove(state.file("-wal")));
    fs::remove(state.file("-shm"));
    check_refused(state, OpenRefusal::damaged);
}

TEST_CASE("C13 a database cut at any page is refused or whole") {
    StateFixture state;
    store_some(state);
    const auto whole = read_all(state.file());
    for (std::size_t size = 0; size < whole.size(); size += 4096) {
        write_all(state.file(), whole.substr(0, size));
        check_refused(state, OpenRefusal::damaged);
        write_all(state.file(), whole.substr(0, size + 1234));
        check_refused(state, OpenRefusal::damaged);
    }
    write_all(state.file(), whole);
    check_same_or_refused(state, "whole again");
    CHECK(state.open()->snapshot().highest_seen == 120);
}

TEST_CASE("C13 a flipped bit is refused or harmless") {
    StateFixture state;
    store_some(state);
    const auto whole = read_all(state.file());
    const char* given = std::getenv("SG_TEST_SEED");
    const auto seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    INFO("SG_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 200; ++i) {
        auto bytes = whole;
        const auto at = random() % bytes.size();
        const auto bit = random() % 8;
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
        write_all(state.file(), bytes);
        check_same_or_refused(state, "byte " + std::to_string(at) + " bit " + std::to_string(bit));
        // What was open may have left a log behind, which belongs to the damaged file.
        fs::remove(state.file("-wal"));
        fs::remove(state.file("-shm"));
    }
}

TEST_CASE("a first start that was interrupted is still a first start") {
    StateFixture state;
    fs::create_directory(state.directory);
    write_all(state.file(), "");
    const auto store = state.open();
    CHECK_FALSE(store->snapshot().highest_seen);
    CHECK(store->snapshot().clean);
}

TEST_CASE("network file systems are told by what they report") {
    CHECK(checkpoint::is_network_filesystem(0x6969));
    CHECK(checkpoint::is_network_filesystem(0xFFFFFFFFFF534D42));
    CHECK_FALSE(checkpoint::is_network_filesystem(0xEF53));
    CHECK_FALSE(checkpoint::is_network_filesystem(0x01021994));
}

TEST_CASE("a directory that cannot be made is an error of the disk") {
    StateFixture state;
    write_all(state.directory, "a file");
    check_refused(state, OpenRefusal::io);
}
