#pragma once
// The last words of a host that crashes.

namespace sg::host {

/// Writes the signal and the frames of the thread that crashed to standard error, then lets the
/// signal do what it does. Does nothing in a build with sanitizers: they have their own.
void install_crash_trace();

}  // namespace sg::host
