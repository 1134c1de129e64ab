#pragma once
// What a process tree costs.

#include <chrono>
#include <string>
#include <vector>

namespace sg::bench {

using Seconds = std::chrono::duration<double>;

Seconds cpu_of_this_process();
/// Of all children that have ended and were waited for, and of theirs.
Seconds cpu_of_ended_children();

/// Of a process that runs, all its threads; to the nanosecond, unlike what it would report at its end.
Seconds cpu_of(int pid);

/// Starts a program with its output in `log`; returns its pid.
int start(const std::vector<std::string>& command, const std::string& log);
/// SIGTERM, then waits; returns the wait status.
int stop(int pid);

/// Proportional set size of a process and of all its descendants, kB; one figure a process, the root first.
std::vector<long> proportional_kb(int pid);

}  // namespace sg::bench
