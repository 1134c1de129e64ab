#include "cli/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <cmath>
#include <cstdio>

namespace sg::cli {
namespace {

struct Unit {
    double bytes;
    const char* name;
};

Unit unit_for(double bytes) {
    for (const auto& unit : {Unit{1e9, "GB"}, Unit{1e6, "MB"}, Unit{1e3, "kB"}})
        if (bytes >= unit.bytes) return unit;
    return {1, "B"};
}

std::string amount(double bytes, const Unit& unit) {
    return unit.bytes > 1 ? fmt::format("{:.1f}", bytes / unit.bytes) : fmt::format("{:.0f}", bytes);
}

}  // namespace

std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          std::chrono::duration<double> took) {
    const auto so_far = static_cast<double>(done), whole = static_cast<double>(total.value_or(done));
    const auto unit = unit_for(whole);
    std::string text = amount(so_far, unit);
    if (total) text += fmt::format(" of {}", amount(whole, unit));
    text += fmt::format(" {}", unit.name);
    if (total && *total > 0) text += fmt::format(", {:.0f} %", 100 * so_far / whole);
    const double seconds = took.count();
    if (done == 0 || seconds <= 0) return text;
    const double speed = so_far / seconds;
    const auto per_second = unit_for(speed);
    text += fmt::format(", {} {}/s", amount(speed, per_second), per_second.name);
    if (total && *total > done) {
        const auto left = std::lround((whole - so_far) / speed);
        text += fmt::format(", {}:{:02} left", left / 60, left % 60);
    }
    return text;
}

void StatusLine::show(const std::function<std::string()>& text, bool last) {
    const auto now = Clock::now();
    if (!wanted_ || (shown_ && !last && now - *shown_ < std::chrono::milliseconds(100))) return;
    shown_ = now;
    fmt::print(stderr, "\r{}\x1b[K", text());
    std::fflush(stderr);
}

void StatusLine::end() {
    if (shown_) std::fputs("\n", stderr);
    shown_.reset();
}

ProgressLine::ProgressLine(std::string name) : name_(std::move(name)), line_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(std::uint64_t done, std::optional<std::uint64_t> total) {
    const auto text = [&] { return name_ + ": " + progress_text(done, total, Clock::now() - begun_); };
    line_.show(text, total && done >= *total);
}

}  // namespace sg::cli
