// Thumbnails: fetched, kept and found again.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <csignal>
#include <future>
#include <thread>

#include "retriever_cache/fixture.hpp"
#include "retriever_cache/refused_calls.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

TEST_CASE("T145 a thumbnail lies where the original keeps it, and another signature finds it") {
    CacheRig rig;
    Source source({"picture", abc + "?Signature=1"});
    const auto stored = rig.request(abc + "?Signature=1", source);
    REQUIRE(stored);
    CHECK(*stored == rig.root / abc_file);
    CHECK(rig.request(abc + "?Signature=2", source) == *stored);
    CHECK(source.asked == 1);
    CHECK(rig.files() == std::vector{abc_file});
    CHECK(content(*stored) == "picture");
}

TEST_CASE("T146 a hit marks the entry used now") {
    CacheRig rig;
    write_file(rig.root / abc_file, "x");
    set_used(rig.root / abc_file, {});
    rig.clock->advance(5min + 7ns);
    REQUIRE(rig.cache->find(abc));
    CHECK(used_at(rig.root / abc_file) == rig.clock->utc());
    const nlohmann::json attachment = {{"id", 1}, {"this_file", {{"name", "a"}}}};
    Source source({"x", "/a"});
    const auto file = rig.cache->store_attachment(attachment, source);
    REQUIRE(file);
    rig.clock->advance(1h);
    REQUIRE(rig.cache->find_attachment(attachment));
    CHECK(used_at(*file) == rig.clock->utc());
}

TEST_CASE("T147 an empty file is no entry, and is replaced") {
    CacheRig rig;
    write_file(rig.root / abc_file, "");
    Source source({"picture", abc});
    REQUIRE(rig.request(abc, source) == rig.root / abc_file);
    CHECK(source.asked == 1);
    CHECK(content(rig.root / abc_file) == "picture");
}

TEST_CASE("only a regular file is an entry") {
    CacheRig rig;
    const auto path = rig.root / abc_file;
    SECTION("a link is none, and is replaced") {
        write_file(rig.root / "elsewhere", "secret");
        fs::create_directories(path.parent_path());
        fs::create_symlink(rig.root / "elsewhere", path);
        CHECK(rig.cache->find(abc).value() == std::nullopt);
        Source source({"picture", abc});
        REQUIRE(rig.request(abc, source));
        CHECK(content(rig.root / "elsewhere") == "secret");
        CHECK(content(path) == "picture");
    }
    SECTION("a folder is none, and is in the way") {
        fs::create_directories(path / "x");
        CHECK(rig.cache->find(abc).value() == std::nullopt);
        Source source({"picture", abc});
        CHECK_FALSE(rig.request(abc, source));
        CHECK(rig.files().empty());
    }
    SECTION("a file without a suffix is none") {
        write_file(fs::path(path).replace_extension(), "x");
        CHECK(rig.cache->find(abc).value() == std::nullopt);
    }
}

TEST_CASE("T148 what came short, or lost its connection, leaves nothing, and can be fetched again") {
    CacheRig rig;
    Source source({"half", abc, "", 8});
    SECTION("shorter than announced") {}
    SECTION("longer than announced") { source.answer.announced = 3; }
    SECTION("empty") { source.answer.bytes.clear(), source.answer.announced.reset(); }
    const auto failed = rig.request(abc, source);
    REQUIRE_FALSE(failed);
    CHECK((failed.error().cause == Cause::network || failed.error().cause == Cause::bad_answer));
    CHECK(rig.files().empty());
    const auto lost = rig.cache->store(abc, [](const fs::path& to, std::stop_token) -> Result<Fetched> {
        write_file(to, "half");
        return fail(Cause::network, "lost");
    });
    REQUIRE_FALSE(lost);
    CHECK(lost.error().message == "lost");
    CHECK(rig.files().empty());
    CHECK_THROWS_AS(rig.cache->store(abc,
                                     [](const fs::path& to, std::stop_token) -> Result<Fetched> {
                                         write_file(to, "half");
                                         throw std::runtime_error("thrown");
                                     }),
                    std::runtime_error);
    CHECK(rig.files().empty());
    source.answer.bytes = "complete", source.answer.announced = 8;
    REQUIRE(rig.request(abc, source));
    CHECK(rig.files() == std::vector{abc_file});
}

TEST_CASE("a fetch that gives no file, or something else, is a failure") {
    CacheRig rig;
    CHECK_FALSE(rig.cache->store(abc, [](auto&, auto) -> Result<Fetched> { return Fetched{}; }));
    CHECK_FALSE(rig.cache->store(abc, [](auto& to, auto) -> Result<Fetched> {
        fs::create_symlink("/etc/passwd", to);
        return Fetched{};
    }));
    CHECK_FALSE(rig.cache->store(abc, [](auto& to, auto) -> Result<Fetched> {
        ::mkfifo(to.c_str(), 0600);
        return Fetched{};
    }));
    CHECK(rig.files().empty());
    CHECK(rig.cache
              ->store("https://demo.example.com",
                      [](auto&, auto) -> Result<Fetched> {
                          FAIL("nothing is fetched where nothing can be kept");
                          return Fetched{};
                      })
              .error()
              .cause == Cause::invalid);
}

TEST_CASE("T149 an entry appears when it is whole, and not before") {
    CacheRig rig;
    std::promise<void> half, open;
    std::jthread fetching([&] {
        (void)rig.cache->store(abc, [&](const fs::path& to, std::stop_token) -> Result<Fetched> {
            std::ofstream out(to);
            out << "first" << std::flush;
            half.set_value();
            open.get_future().wait();
            out << "second" << std::flush;
            return Fetched{abc, "", 11, 11};
        });
    });
    half.get_future().wait();
    CHECK_FALSE(fs::exists(rig.root / abc_file));
    CHECK(rig.cache->find(abc).value() == std::nullopt);
    REQUIRE(rig.files().size() == 1);
    CHECK(rig.files().front().starts_with("tmp/"));
    open.set_value();
    fetching.join();
    CHECK(rig.files() == std::vector{abc_file});
    CHECK(content(rig.root / abc_file) == "firstsecond");
}

TEST_CASE("a download that is stopped stores nothing, even if all of it came") {
    CacheRig rig;
    std::stop_source stop;
    const auto stopped = rig.cache->store(
        abc,
        [&](const fs::path& to, std::stop_token token) -> Result<Fetched> {
            write_file(to, "all");
            stop.request_stop();
            CHECK(token.stop_requested());
            return Fetched{abc, "", 3, 3};
        },
        stop.get_token());
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().cause == Cause::stopped);
    Source source({"x", abc});
    CHECK_FALSE(rig.cache->store(abc, source, stop.get_token()));
    CHECK(source.asked == 0);
    CHECK(rig.files().empty());
}

TEST_CASE("T150 T151 T152 an entry is found again whatever its suffix") {
    const std::tuple<const char*, const char*, const char*> answers[] = {
        {"https://storage/x.png?s=1", "image/jpeg", ".png"},
        {"/x", "image/jpeg; charset=x", ".jpg"},
        {"/x", "application/x-odd", ".bin"},
        {"/x", "", ".bin"},
        {"/x.verylongsuffix", "image/gif", ".gif"},
        {"/x.j%20pg", "image/webp", ".webp"}};
    for (const auto& [final_url, type, suffix] : answers) {
        CacheRig rig;
        Source source({"picture", final_url, type});
        const std::string url = "https://demo.example.com/thumbnail/full/Shot/12";
        const auto first = rig.request(url, source);
        REQUIRE(first);
        CHECK(*first == rig.root / (std::string("thumbs/7d/19/138b6e0d3695ea3eb4cfdb5f705a") + suffix));
        CHECK(rig.request(url, source) == *first);
        CHECK(source.asked == 1);
    }
}

TEST_CASE("T153 of several files for one url the newest is the entry, then the first by name") {
    CacheRig rig;
    const auto jpg = rig.root / abc_file, png = fs::path(jpg).replace_extension(".png");
    write_file(jpg, "old");
    write_file(png, "new");
    set_used(jpg, rig.clock->utc() - 2h);
    set_used(png, rig.clock->utc() - 1h);
    CHECK(rig.cache->find(abc).value() == png);
    set_used(jpg, rig.clock->utc() - 1h);
    set_used(png, rig.clock->utc() - 1h);
    CHECK(rig.cache->find(abc).value() == jpg);
    write_file(png, "");
    set_used(png, rig.clock->utc() + 1h);
    CHECK(rig.cache->find(abc).value() == jpg);
}

TEST_CASE("T154 a root may have any name") {
    CacheRig rig({}, "ca[ch]e*?");
    Source source({"picture", abc});
    REQUIRE(rig.request(abc, source));
    REQUIRE(rig.request(abc, source));
    CHECK(source.asked == 1);
}

TEST_CASE("T155 files and folders have their modes whatever the umask, which is never touched") {
    const auto before = ::umask(077);
    std::atomic<bool> changed = false, watching = false;
    std::jthread watch([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
            const auto status = content("/proc/self/status");
            if (status.find("Umask:\t0077\n") == std::string::npos) changed = true;
            watching = true;
            watching.notify_all();
        }
    });
    watching.wait(false);
    {
        CacheRig rig;
        Source source({"picture", abc});
        for (int i = 0; i < 200; ++i) REQUIRE(rig.cache->store(abc, source));
        CHECK(mode_of(rig.root / abc_file) == 0666);
        for (const auto* folder : {"", "tmp", "thumbs", "thumbs/86", "thumbs/86/d1"})
            CHECK(mode_of(rig.root / folder) == 0777);
        CacheRig own({.root = {}, .file_mode = 0640, .dir_mode = 02750});
        REQUIRE(own.cache->store(abc, source));
        CHECK(mode_of(own.root / abc_file) == 0640);
        CHECK(mode_of((own.root / abc_file).parent_path()) == 02750);
    }
    watch.request_stop();
    watch.join();
    CHECK_FALSE(changed);
    ::umask(before);
}

TEST_CASE("folders above the root are not opened to everybody") {
    const auto before = ::umask(022);
    CacheRig rig({}, "above/cache");
    Source source({"picture", abc});
    REQUIRE(rig.cache->store(abc, source));
    CHECK(mode_of(rig.dir / "above") == 0755);
    CHECK(mode_of(rig.root) == 0777);
    ::umask(before);
}

TEST_CASE("T156 T157 an entry whose time or mode may not be set is one all the same") {
    CacheRig rig;
    RefusedCalls refused;
    refused.times = EPERM;
    refused.modes = EPERM;
    Source source({"picture", abc});
    REQUIRE(rig.request(abc, source) == rig.root / abc_file);
    REQUIRE(rig.request(abc, source) == rig.root / abc_file);
    CHECK(source.asked == 1);
    refused.times = EACCES;
    CHECK(rig.request(abc, source) == rig.root / abc_file);
    CHECK(source.asked == 1);
}

TEST_CASE(
    "T113 T114 a cache that cannot be looked at, made or written fails, and never as if there were nothing") {
    CacheRig rig;
    Source source({"picture", abc});
    SECTION("thumbs is a file") {
        write_file(rig.root / "thumbs", "x");
        const auto found = rig.cache->find(abc);
        REQUIRE_FALSE(found);
        CHECK(found.error().message.find((rig.root / "thumbs").string()) != std::string::npos);
        CHECK_FALSE(rig.cache->store(abc, source));
        CHECK(source.asked == 0);
    }
    SECTION("attachments is a file") {
        write_file(rig.root / "attachments", "x");
        CHECK_FALSE(rig.cache->find_attachment({{"id", 1}}));
        CHECK_FALSE(rig.cache->store_attachment({{"id", 1}}, source));
        CHECK(source.asked == 0);
    }
    SECTION("tmp is a file") {
        write_file(rig.root / "tmp", "x");
        CHECK(rig.cache->find(abc).value() == std::nullopt);
        CHECK_FALSE(rig.cache->store(abc, source));
        CHECK(source.asked == 0);
    }
    SECTION("the disk refuses at the last moment") {
        RefusedCalls refused;
        refused.sync = ENOSPC;
        const auto stored = rig.cache->store(abc, source);
        REQUIRE_FALSE(stored);
        CHECK(stored.error().message.find("No space left") != std::string::npos);
        CHECK(rig.files().empty());
    }
    SECTION("a file may not become so large") {
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const rlimit small{4096, before.rlim_max};
        auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &small);
        const auto stored = rig.cache->store(abc, [](const fs::path& to, std::stop_token) -> Result<Fetched> {
            std::ofstream out(to);
            out << std::string(100'000, 'x') << std::flush;
            if (!out) return fail(Cause::internal, "the file is too large");
            return Fetched{abc, "", 100'000, 100'000};
        });
        ::setrlimit(RLIMIT_FSIZE, &before);
        std::signal(SIGXFSZ, handler);
        REQUIRE_FALSE(stored);
        CHECK(stored.error().message == "the file is too large");
        CHECK(rig.files().empty());
    }
}
