// `sgeventd site`: files by hand, with the real program and a site of its own.

#include <algorithm>
#include <fstream>

#include "catch.hpp"
#include "cli/progress_line.hpp"
#include "e2e/process.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

using namespace sg;
using test::Ended;
using namespace std::chrono_literals;
using sandbox::Fault;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The most memory that a process has ever had, kB; 0 if it is gone.
long high_water(int pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    return 0;
}

struct Desk {
    Desk() {
        const auto project = site.add("Project", {{"name", "Demo"}});
        version =
            site.add("Version", {{"code", "take2"}, {"project", {{"type", "Project"}, {"id", project}}}});
        std::ofstream(dir / "c.yaml")
            << "site:\n  url: " << site.url()
            << "\n  credential: daemon\n  retry_first: 100ms\ncredentials:\n  daemon: "
               "{script: sandbox, key: sandbox-key}\n  wrong: {script: sandbox, key: "
               "s3cret-key}\ncollections: [.]\n";
    }
    std::string entity() const { return "Version:" + std::to_string(version); }
    test::Ran run(std::vector<std::string> words, long* peak_kb = nullptr) {
        words.insert(words.begin(), {SG_PROGRAM, "site"});
        words.insert(words.begin() + 3, {"--config", (dir / "c.yaml").string()});
        const auto out = dir / "out", err = dir / "err";
        std::filesystem::remove(out);
        std::filesystem::remove(err);
        test::Process process(words, {}, out, err);
        auto ended = process.wait(0ms);
        for (const auto end = std::chrono::steady_clock::now() + 120s;
             !ended && std::chrono::steady_clock::now() < end; ended = process.wait(2ms))
            if (peak_kb != nullptr) *peak_kb = std::max(*peak_kb, high_water(process.pid()));
        return {ended.value_or(Ended{}), test::read_file(out), test::read_file(err)};
    }
    void make(const std::string& name, std::uint64_t bytes) const {
        std::ofstream out(dir / name, std::ios::binary);
        std::string block(1U << 20U, '\0');
        std::uint32_t state = 1;
        while (bytes > 0) {
            for (auto& c : block) c = static_cast<char>((state = state * 1'664'525U + 1'013'904'223U) >> 24U);
            const auto n = std::min<std::uint64_t>(bytes, block.size());
            out.write(block.data(), static_cast<std::streamsize>(n));
            bytes -= n;
        }
    }
    bool same(const std::string& a, const std::string& b) const {
        std::ifstream one(dir / a, std::ios::binary), two(dir / b, std::ios::binary);
        std::string left(1U << 20U, '\0'), right(1U << 20U, '\0');
        for (;;) {
            one.read(left.data(), static_cast<std::streamsize>(left.size()));
            two.read(right.data(), static_cast<std::streamsize>(right.size()));
            if (one.gcount() != two.gcount() || left != right) return false;
            if (one.gcount() == 0) return true;
        }
    }

    sandbox::Site site;
    test::TempDir dir;
    sandbox::Id version = 0;
};

}  // namespace

TEST_CASE("a person sends a file and fetches it again, and a pipe gets the result and nothing else") {
    Desk desk;
    desk.make("take2.mov", 100'000);
    const auto file = (desk.dir / "take2.mov").string(), copy = (desk.dir / "copy.mov").string();
    const auto sent =
        desk.run({"upload", "--field", "sg_uploaded_movie", "--tag", "a", "--tag", "b", desk.entity(), file});
    INFO(sent.err);
    REQUIRE(sent.ended == Ended{0, 0});
    CHECK(sent.err.empty());
    const auto id = sent.out.substr(0, sent.out.size() - 1);
    CHECK(desk.site.value("Version", desk.version, "sg_uploaded_movie")["id"] == std::stoll(id));

    for (const auto& what :
         {id, desk.entity() + ":sg_uploaded_movie", desk.site.url() + "/file_serve/attachment/" + id}) {
        std::filesystem::remove(copy);
        const auto got = desk.run({"download", what, copy});
        INFO(what << ": " << got.err);
        CHECK(got.ended == Ended{0, 0});
        CHECK(got.out == copy + "\n");
        CHECK(got.err.empty());
        CHECK(desk.same("take2.mov", "copy.mov"));
    }
}

TEST_CASE("the exit code says whose fault it was, and no message holds a key") {
    Desk desk;
    desk.make("a.png", 1000);
    const auto file = (desk.dir / "a.png").string(), to = (desk.dir / "to").string();
    const auto ended = [&](std::vector<std::string> words, std::string_view says) {
        const auto ran = desk.run(std::move(words));
        INFO(ran.err);
        CHECK(holds(ran.err, says));
        CHECK_FALSE(holds(ran.err, "s3cret-key"));
        CHECK_FALSE(holds(ran.err, "sandbox-key"));
        CHECK(ran.out.empty());
        CHECK_FALSE(std::filesystem::exists(to));
        return ran.ended;
    };
    CHECK(ended({"upload", "Version", file}, "TYPE:ID") == Ended{64, 0});
    CHECK(ended({"upload", desk.entity()}, "FILE") == Ended{64, 0});
    CHECK(ended({"upload", "--credential", "none", desk.entity(), file}, "no credential 'none'") ==
          Ended{64, 0});
    CHECK(ended({"upload", desk.entity(), to}, "No such file") == Ended{65, 0});
    CHECK(ended({"upload", "Version:4711", file}, "does not exist") == Ended{65, 0});
    CHECK(ended({"upload", "--credential", "wrong", desk.entity(), file}, "Can't authenticate") ==
          Ended{65, 0});
    CHECK(ended({"download", "4711", to}, "no such attachment") == Ended{65, 0});
    CHECK(ended({"download", desk.entity() + ":image", to}, "there is no file") == Ended{65, 0});
    CHECK(ended({"download", desk.entity(), to}, "neither an id") == Ended{65, 0});
    CHECK(ended({"download", "--credential", "wrong", "4711", to}, "Can't authenticate") == Ended{77, 0});
    desk.site.refuse_connections();
    CHECK(ended({"download", "4711", to}, "attempt") == Ended{69, 0});
}

TEST_CASE("an interrupted download ends at once and leaves nothing") {
    Desk desk;
    desk.make("take2.mov", 3'000'000);
    const auto sent = desk.run({"upload", desk.entity(), (desk.dir / "take2.mov").string()});
    REQUIRE(sent.ended == Ended{0, 0});
    std::filesystem::create_directory(desk.dir / "in");
    desk.site.inject(Fault::hang_in_body().on("storage_get"));
    test::Process process({SG_PROGRAM, "site", "download", "--config", (desk.dir / "c.yaml").string(),
                           sent.out.substr(0, sent.out.size() - 1), (desk.dir / "in/got.mov").string()},
                          {}, desk.dir / "out", desk.dir / "err");
    const auto empty = [&] { return std::filesystem::is_empty(desk.dir / "in"); };
    REQUIRE(test::wait_for([&] { return !empty() && desk.site.request_count("storage_get") == 1; }));
    process.signal(SIGINT);
    CHECK(process.wait(10s) == Ended{130, 0});
    CHECK(empty());
}

TEST_CASE("a file of 256 MB goes both ways in less than 32 MB of memory above what a tiny one takes") {
    Desk desk;
    const char* by_hand = std::getenv("SG_FILE_BYTES");  // 3000000000, where there is the time and the disk
    const std::uint64_t bytes = by_hand != nullptr ? std::stoull(by_hand)
                                : sanitized        ? 24'000'000
                                                   : 256'000'000;
    desk.make("tiny", 1000);
    desk.make("large", bytes);
    const auto there = [&](const std::string& name, long* peak) {
        const auto ran = desk.run({"upload", desk.entity(), (desk.dir / name).string()}, peak);
        INFO(ran.err);
        CHECK(ran.ended == Ended{0, 0});
        return ran.out.substr(0, ran.out.find('\n'));
    };
    const auto back = [&](const std::string& id, long* peak) {
        const auto ran = desk.run({"download", id, (desk.dir / "copy").string()}, peak);
        INFO(ran.err);
        CHECK(ran.ended == Ended{0, 0});
    };
    long idle = 0, up = 0, down = 0;
    back(there("tiny", &idle), &idle);
    const long site_before = high_water(::getpid());
    const auto id = there("large", &up);
    back(id, &down);
    const long site_after = high_water(::getpid());
    CHECK(desk.same("large", "copy"));
    INFO("kB: idle " << idle << ", up " << up << ", down " << down << "; the site itself " << site_before
                     << " and " << site_after);
    if (sanitized) return;
    CHECK(up - idle < 32 * 1024);
    CHECK(down - idle < 32 * 1024);
    CHECK(site_after - site_before < 32 * 1024);
}

TEST_CASE("how far a transfer has got is said in units that a person reads") {
    using cli::progress_text;
    CHECK(progress_text(0, 3'000'000'000, 0s) == "0.0 of 3.0 GB, 0 %");
    CHECK(progress_text(1'200'000'000, 3'000'000'000, 12s) == "1.2 of 3.0 GB, 40 %, 100.0 MB/s, 0:18 left");
    CHECK(progress_text(3'000'000'000, 3'000'000'000, 30s) == "3.0 of 3.0 GB, 100 %, 100.0 MB/s");
    CHECK(progress_text(10'000'000, 900'000'000, 1s) == "10.0 of 900.0 MB, 1 %, 10.0 MB/s, 1:29 left");
    CHECK(progress_text(512, {}, 1s) == "512 B, 512 B/s");
}
