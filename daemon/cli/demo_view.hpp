#pragma once
// The demo on a terminal.

#include <cstdio>

#include "cli/demo_book.hpp"

namespace sg::cli {

/// Prints lines; in colour where standard output is a terminal and NO_COLOR is not set.
///
/// Threads: one.
class DemoView {
public:
    DemoView();

    void title(const std::string& text);
    void remark(const std::string& text);
    void line(const DemoLine& line);
    /// Where everybody stands, now and then.
    void standing(const DemoBook& book);
    void flush() { std::fflush(stdout); }

private:
    std::string paint(const char* colour, const std::string& text) const;
    void put(const std::string& text);

    bool colour_;
};

}  // namespace sg::cli
