#include "plugins/line_capture.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <array>
#include <cerrno>

namespace sg::plugins {

LineCapture::LineCapture(Loop& loop, UniqueFd pipe, Line line, Dropped dropped)
    : loop_(loop), pipe_(std::move(pipe)), line_(std::move(line)), dropped_(std::move(dropped)) {
    ::fcntl(pipe_.get(), F_SETFL, ::fcntl(pipe_.get(), F_GETFL) | O_NONBLOCK);
    watch_ = loop_.watch(pipe_.get(), EPOLLIN, [this](std::uint32_t) { read_some(); });
}

/// One read: a host that never stops writing gets its turn, not the loop.
bool LineCapture::read_some() {
    std::array<char, 16 << 10> buffer;
    const auto n = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (n < 0) return errno == EINTR;
    if (n == 0) {
        watch_.reset();  // nobody writes any more: the pipe would be readable for ever
        return false;
    }
    std::string_view text(buffer.data(), static_cast<std::size_t>(n));
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        take_line(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    partial_.append(text.substr(0, longest_line - std::min(longest_line, partial_.size())));
    return true;
}

void LineCapture::take_line(std::string_view end) {
    partial_.append(end.substr(0, longest_line - std::min(longest_line, partial_.size())));
    if (!partial_.empty()) {
        hand_on(partial_);
        kept_.push_back(std::move(partial_));
        if (kept_.size() > lines_kept) kept_.pop_front();
    }
    partial_.clear();
}

void LineCapture::hand_on(std::string_view line) {
    const auto now = loop_.clock().now();
    if (now - second_begun_ >= std::chrono::seconds(1)) {
        if (dropped_lines_ > 0) dropped_(std::exchange(dropped_lines_, 0));
        second_begun_ = now;
        lines_this_second_ = 0;
    }
    if (++lines_this_second_ > lines_per_second)
        ++dropped_lines_;
    else
        line_(line);
}

void LineCapture::finish() {
    watch_.reset();
    // Bounded: a grandchild may hold the pipe and write for ever.
    for (int i = 0; i < 64 && read_some(); ++i) continue;
    if (!partial_.empty()) take_line({});
    if (dropped_lines_ > 0) dropped_(std::exchange(dropped_lines_, 0));
}

std::string LineCapture::last_lines() const {
    std::string text;
    for (const auto& line : kept_) text += (text.empty() ? "" : "\n") + line;
    return text;
}

}  // namespace sg::plugins
