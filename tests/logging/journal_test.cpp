// Lines as the journal gets them.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.hpp"
#include "logging/logging.hpp"
#include "temp_dir.hpp"
#include "util/fd.hpp"

using namespace sg;
using logging::Logging;

namespace {

/// Standard error goes to a file while this lives.
class Redirected {
public:
    explicit Redirected(const std::filesystem::path& file) : before_(::dup(STDERR_FILENO)) {
        const UniqueFd to(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ::dup2(to.get(), STDERR_FILENO);
    }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    ~Redirected() { ::dup2(before_.get(), STDERR_FILENO); }

private:
    UniqueFd before_;
};

}  // namespace

TEST_CASE("under systemd a line begins with its priority and has no time of its own") {
    const test::TempDir dir;
    {
        const Redirected errors(dir / "stderr");
        Logging::Options options;
        options.level = LogLevel::trace;
        options.journal = true;
        const auto log = Logging::open(std::move(options)).value();
        log->engine().error("act");
        log->engine().warning("degraded");
        log->engine().info("done");
        log->plugin("review").debug("a page");
        log->plugin("review").write(LogLevel::trace, "an event\nof two lines");
        log->flush();
    }
    std::ostringstream said;
    said << std::ifstream(dir / "stderr").rdbuf();
    CHECK(said.str() ==
          "<3>[engine] act\n"
          "<4>[engine] degraded\n"
          "<6>[engine] done\n"
          "<7>[plugin.review] a page\n"
          "<7>[plugin.review] an event\\nof two lines\n");
}

TEST_CASE("for programs each line on standard error is a JSON object") {
    const test::TempDir dir;
    {
        const Redirected errors(dir / "stderr");
        Logging::Options options;
        options.json = true;
        options.now = [] {
            return std::chrono::sys_days{std::chrono::year{2026} / 3 / 4} + std::chrono::milliseconds(1250);
        };
        const auto log = Logging::open(std::move(options)).value();
        log->engine().warning("[SITE-LOST] The site does not answer. \"quoted\" ✓ caf\xe9\nsecond");
        log->plugin("review").info("no code [here]");
    }
    std::ifstream said(dir / "stderr");
    std::string first, second;
    std::getline(said, first);
    std::getline(said, second);
    CHECK(nlohmann::json::parse(first) ==
          nlohmann::json{
              {"time", "2026-03-04T00:00:01.250Z"},
              {"level", "warning"},
              {"logger", "engine"},
              {"code", "SITE-LOST"},
              {"message",
               "[SITE-LOST] The site does not answer. \"quoted\" \\xe2\\x9c\\x93 caf\\xe9\\nsecond"}});
    CHECK(nlohmann::json::parse(second)["logger"] == "plugin.review");
    CHECK(nlohmann::json::parse(second)["code"] == "");
}

TEST_CASE("whether standard error is the journal is judged by what systemd says of it") {
    const test::TempDir dir;
    const Redirected errors(dir / "stderr");
    ::unsetenv("JOURNAL_STREAM");
    CHECK_FALSE(Logging::stderr_is_journal());
    struct stat own {};
    REQUIRE(::fstat(STDERR_FILENO, &own) == 0);
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", own.st_dev, own.st_ino).c_str(), 1);
    CHECK(Logging::stderr_is_journal());
    ::setenv("JOURNAL_STREAM", "1:1", 1);  // of a parent whose standard error is not ours
    CHECK_FALSE(Logging::stderr_is_journal());
    ::unsetenv("JOURNAL_STREAM");
}
