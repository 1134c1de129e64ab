// Lines as they come out of a real file.

#include "logging/logging.hpp"

#include <fstream>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "temp_dir.hpp"

using namespace sg;
using logging::Logging;

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// A log that goes to a file alone.
struct FileLog {
    explicit FileLog(Logging::Options options = {}) {
        options.file = dir / "log";
        options.to_stderr = false;
        auto opened = Logging::open(std::move(options));
        if (!opened) throw std::runtime_error(opened.error().message);
        log = std::move(*opened);
    }
    std::string only_line() {
        const auto lines = lines_of(dir / "log");
        REQUIRE(lines.size() == 1);
        return lines.front();
    }
    test::TempDir dir;
    std::unique_ptr<Logging> log;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a line says when, how serious, who, and what") {
    FileLog file;
    file.log->engine().warning("[CODE] Something. id={}", 7);
    const auto line = file.only_line();
    CHECK(has(line, "warning [engine] [CODE] Something. id=7"));
    CHECK(line.substr(10, 1) == "T");
    CHECK(line.find_first_of("+-", 11) != std::string::npos);  // the zone
}

TEST_CASE("a log file is private to the user") {
    FileLog file;
    CHECK((std::filesystem::status(file.dir / "log").permissions() & std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a plugin's level is its own") {
    FileLog file;
    auto& chatty = file.log->plugin("chatty");
    auto& other = file.log->plugin("other");
    file.log->set_level(chatty, LogLevel::debug);
    chatty.debug("chatty debug");
    other.debug("other debug");
    file.log->engine().debug("engine debug");
    other.info("other info");
    const auto lines = lines_of(file.dir / "log");
    REQUIRE(lines.size() == 2);
    CHECK(has(lines[0], "[plugin.chatty] chatty debug"));
    CHECK(has(lines[1], "[plugin.other] other info"));
    CHECK(&file.log->plugin("chatty") == &chatty);
}

TEST_CASE("a line stays a line whatever a plugin says") {
    FileLog file;
    file.log->plugin("a\nb").error("{}",
                                   "one\ntwo\r\x1b[31mred\x7f \xc2\x9b"
                                   "1m tab\t");
    const auto line = file.only_line();
    CHECK(has(line, "[plugin.a\\nb] one\\ntwo\\r\\x1b[31mred\\x7f \\x9b1m tab\\t"));
}

TEST_CASE("text of other alphabets is left alone and broken text is escaped") {
    CHECK(logging::one_line("schlüssel ✓ 映画") == "schlüssel ✓ 映画");
    CHECK(logging::one_line("caf\xe9") == "caf\\xe9");
    CHECK(logging::one_line("nul" + std::string(1, '\0')) == "nul\\x00");
}

TEST_CASE("an overlong line is cut where a character ends, and says by how much") {
    std::string text(16 * 1024 - 1, 'x');
    text += "✓✓";
    const auto line = logging::one_line(text);
    CHECK(line == std::string(16 * 1024 - 1, 'x') + "… (6 bytes more)");
}

TEST_CASE("a secret never reaches the log, plain or inside JSON") {
    Logging::Options options;
    options.secrets = {"s3cret\"key", "s3cret\"key-longer"};
    FileLog file(std::move(options));
    file.log->add_secret("added-later");
    file.log->engine().error("{}", R"(a s3cret"key b s3cret"key-longer c {"k":"s3cret\"key"} d added-later)");
    const auto line = file.only_line();
    CHECK(has(line, R"(a *** b *** c {"k":"***"} d ***)"));
}

TEST_CASE("threads that log at once leave whole lines") {
    FileLog file;
    constexpr int threads = 4, each = 500;
    {
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&file, t] {
                auto& log = file.log->plugin("p" + std::to_string(t % 2));
                for (int i = 0; i < each; ++i) log.info("thread={} i={} end", t, i);
            });
    }
    const auto lines = lines_of(file.dir / "log");
    CHECK(lines.size() == threads * each);
    CHECK(std::all_of(lines.begin(), lines.end(), [](const auto& line) { return line.ends_with(" end"); }));
}

TEST_CASE("a log file that cannot be opened is refused by name") {
    Logging::Options options;
    options.file = "/absent/directory/log";
    const auto log = Logging::open(std::move(options));
    REQUIRE_FALSE(log);
    CHECK(has(log.error().message, "/absent/directory/log: No such file or directory"));
}
