#pragma once
// What an earlier daemon did not see the end of.

#include <functional>
#include <sg/types.hpp>
#include <string>

namespace sg::plugins {

/// A callback that was running when an earlier daemon ended.
struct Interrupted {
    std::string plugin;
    std::string callback;
    EventId event = 0;
    /// To be called when it has been dealt with: with the last of a file, the file goes. Else it is found
    /// again.
    std::function<void()> settle;
};

}  // namespace sg::plugins
