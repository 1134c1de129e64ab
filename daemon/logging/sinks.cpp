#include "logging/sinks.hpp"

#include <fmt/chrono.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>

namespace sg::logging {
namespace {

/// The journal's priorities, 3 error to 7 debug.
class Priority final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& line, const std::tm&, spdlog::memory_buf_t& out) override {
        const char digit = line.level >= spdlog::level::err    ? '3'
                           : line.level == spdlog::level::warn ? '4'
                           : line.level == spdlog::level::info ? '6'
                                                               : '7';
        for (const char c : {'<', digit, '>'}) out.push_back(c);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

/// Levels as Python's logging writes them.
class OldLevel final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& line, const std::tm&, spdlog::memory_buf_t& out) override {
        const std::string_view word = line.level >= spdlog::level::err    ? "ERROR"
                                      : line.level == spdlog::level::warn ? "WARNING"
                                      : line.level == spdlog::level::info ? "INFO"
                                                                          : "DEBUG";
        out.append(word.data(), word.data() + word.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<OldLevel>(); }
};

class JsonFormatter final : public spdlog::formatter {
public:
    explicit JsonFormatter(std::string site) : site_(std::move(site)) {}

    void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
        const std::string_view text(line.payload.data(), line.payload.size());
        const auto level = spdlog::level::to_string_view(line.level);
        const auto ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(line.time.time_since_epoch()).count();
        const auto time = fmt::gmtime(std::chrono::system_clock::to_time_t(line.time));
        nlohmann::ordered_json object{
            {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", time, ms % 1000)},
            {"level", std::string(level.data(), level.size())},
            {"logger", std::string(line.logger_name.data(), line.logger_name.size())},
            {"code", std::string(code_of(text))},
            {"message", std::string(text)}};
        if (!site_.empty()) object["site"] = site_;
        const auto said = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        out.append(said.data(), said.data() + said.size());
    }
    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>(site_);
    }

private:
    const std::string site_;
};

class LogFileSink final : public FileSink {
public:
    LogFileSink(std::unique_ptr<LogFile> file, Layout layout)
        : file_(std::move(file)), formatter_(formatter_for(layout)) {}

    void log(const spdlog::details::log_msg& line) override {
        std::lock_guard lock(mutex_);
        spdlog::memory_buf_t text;
        formatter_->format(line, text);
        if (auto done = file_->write({text.data(), text.size()}, line.time); !done)
            throw spdlog::spdlog_ex(done.error().message);
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
        std::lock_guard lock(mutex_);
        formatter_ = std::move(formatter);
    }
    Result<void> reopen() override {
        std::lock_guard lock(mutex_);
        return file_->reopen();
    }

private:
    std::mutex mutex_;
    const std::unique_ptr<LogFile> file_;
    std::unique_ptr<spdlog::formatter> formatter_;
};

}  // namespace

std::string_view code_of(std::string_view line) {
    if (!line.starts_with('[')) return {};
    const auto code = line.substr(1, std::max<std::size_t>(line.find(']'), 1) - 1);
    const bool is_code = code.size() < 40 && std::all_of(code.begin(), code.end(), [](char c) {
                             return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
                         });
    return is_code ? code : std::string_view();
}

std::unique_ptr<spdlog::formatter> formatter_for(Layout layout, const std::string& site) {
    if (layout == Layout::json) return std::make_unique<JsonFormatter>(site);
    // A per cent sign would be a pattern's.
    std::string name;
    for (const char c : site) name += c == '%' ? std::string("%%") : std::string(1, c);
    name += site.empty() ? "%n" : "/%n";
    auto made = std::make_unique<spdlog::pattern_formatter>();
    made->add_flag<Priority>('*');
    made->add_flag<OldLevel>('!');
    switch (layout) {
        case Layout::journal:
            made->set_pattern("%*[" + name + "] %v");
            break;
        case Layout::coloured:
            made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ [" + name + "] %v");
            break;
        case Layout::old:
            made->set_pattern("%Y-%m-%d %H:%M:%S,%e - %n - %! - %v");
            break;
        case Layout::bare:
            made->set_pattern("%v");
            break;
        default:
            made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-7l [" + name + "] %v");
    }
    return made;
}

spdlog::sink_ptr stderr_sink(bool json, bool journal, const std::string& site) {
    const char* no_color = std::getenv("NO_COLOR");
    const bool colour =
        !json && !journal && ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
    spdlog::sink_ptr sink;
    if (colour)
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    else
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    const auto layout = json      ? Layout::json
                        : journal ? Layout::journal
                        : colour  ? Layout::coloured
                                  : Layout::text;
    sink->set_formatter(formatter_for(layout, site));
    return sink;
}

std::shared_ptr<FileSink> file_sink(std::unique_ptr<LogFile> file, Layout layout) {
    return std::make_shared<LogFileSink>(std::move(file), layout);
}

}  // namespace sg::logging
