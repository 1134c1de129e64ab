// Lines that line up, with a colour for who and one for what a plugin did.

#include "cli/demo_view.hpp"

#include <fmt/chrono.h>
#include <unistd.h>

#include <cstdlib>

namespace sg::cli {
namespace {

constexpr const char* bold = "1";
constexpr const char* dim = "2";
constexpr const char* red = "31";
constexpr const char* green = "32";
constexpr const char* yellow = "33";
constexpr const char* cyan = "36";

std::string clock_time(std::chrono::system_clock::time_point time) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
    return fmt::format("{:%H:%M:%S}.{:03}", fmt::localtime(std::chrono::system_clock::to_time_t(time)), ms);
}

/// Padded by what is seen, not by bytes.
std::string padded(const std::string& text, std::size_t width) {
    std::size_t seen = 0;
    for (const char c : text) seen += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    return text + std::string(seen < width ? width - seen : 0, ' ');
}

}  // namespace

DemoView::DemoView() {
    const char* no_color = std::getenv("NO_COLOR");
    colour_ = ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

std::string DemoView::paint(const char* colour, const std::string& text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : text;
}

void DemoView::put(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fputc('\n', stdout);
}

void DemoView::title(const std::string& text) { put(paint(bold, text)); }

void DemoView::remark(const std::string& text) { put(paint(dim, "              · " + text)); }

void DemoView::line(const DemoLine& line) {
    std::string reactions;
    for (const auto& reaction : line.reactions) {
        const auto after = reaction.after ? fmt::format("{} ms", reaction.after->count()) : "not yet";
        reactions += (reactions.empty() ? "" : ", ") + reaction.plugin + " " +
                     (reaction.after ? after : paint(red, after));
    }
    // A plugin's change stands under what caused it; when it was made only the site knows exactly.
    const auto time = line.by_plugin ? std::string(12, ' ') : clock_time(line.time);
    put(paint(dim, time) + "  " +
        paint(line.by_plugin ? green : cyan, padded((line.by_plugin ? "→ " : "") + line.who, 15)) + " " +
        padded(line.what, 28) + " " + paint(line.by_plugin ? green : yellow, padded(line.change, 30)) +
        (reactions.empty() ? "" : paint(dim, "  handled: ") + reactions));
}

void DemoView::standing(const DemoBook& book) {
    std::string text = fmt::format("── {} changes, event {}", book.changes(), book.seen());
    for (const auto& [plugin, tally] : book.tallies())
        text += fmt::format(" · {}: {} handled, {} behind", plugin, tally.handled.size(), tally.behind);
    put(paint(bold, text));
}

}  // namespace sg::cli
