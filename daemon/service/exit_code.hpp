#pragma once
// What the process tells whoever started it.

namespace sg::service {

/// The numbers of sysexits.h; docs/operating.md lists them for operators.
enum class ExitCode : int {
    ok = 0,
    usage = 64,          ///< the command line makes no sense
    data = 65,           ///< input that was handed in cannot be used
    unavailable = 69,    ///< strict start: the site did not answer in time
    bug = 70,            ///< a promise of the daemon's own is broken
    state_refused = 73,  ///< the state is damaged, or not the daemon's
    io = 74,             ///< the disk refused
    locked = 75,         ///< another daemon uses the state directory
    not_allowed = 77,    ///< the site knows the credential not, or does not let it do this
    config = 78,         ///< the configuration is wrong
    interrupted = 130,   ///< stopped by a second signal, without waiting for anything
};

}  // namespace sg::service
