#pragma once
// What a host writes to its standard output or error.

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "util/fd.hpp"
#include "util/loop.hpp"

namespace sg::plugins {

/// Reads a pipe line by line; lines beyond a bounded rate are counted instead of handed on, and
/// the last ones are kept in any case. Loop thread only.
class LineCapture {
public:
    static constexpr std::size_t lines_per_second = 200;
    static constexpr std::size_t longest_line = 4096;
    static constexpr std::size_t lines_kept = 30;

    using Line = std::function<void(std::string_view line)>;
    using Dropped = std::function<void(std::uint64_t lines)>;

    LineCapture(Loop& loop, UniqueFd pipe, Line line, Dropped dropped);

    /// Takes what is still in the pipe; for a process that is gone.
    void finish();

    /// The last lines, joined.
    std::string last_lines() const;

private:
    bool read_some();
    void take_line(std::string_view line);
    void hand_on(std::string_view line);

    Loop& loop_;
    UniqueFd pipe_;
    Line line_;
    Dropped dropped_;
    std::string partial_;
    std::deque<std::string> kept_;
    Clock::Time second_begun_{};
    std::size_t lines_this_second_ = 0;
    std::uint64_t dropped_lines_ = 0;
    Loop::Handle watch_;
};

}  // namespace sg::plugins
