#pragma once
// Being process 1, as in a container without an init.

#include <optional>

#include "service/exit_code.hpp"

namespace sg::cli {

/// Where we are process 1, the rest of the program goes on in a child (nullopt), while this process passes
/// signals on to it and reaps every process that lost its parent: nobody else would. When the child has ended
/// this returns, in the first process, what to exit with; 128 and the signal's number where one killed it.
/// Anywhere else it does nothing.
///
/// Threads: before any other thread starts.
std::optional<service::ExitCode> divide_if_first();

}  // namespace sg::cli
