#pragma once
// What a failure comes to as an exit code.

#include "service/exit_code.hpp"
#include "util/result.hpp"

namespace sg::cli {

inline service::ExitCode code_of(const Failure& why) {
    using service::ExitCode;
    switch (why.cause) {
        case Cause::network:
        case Cause::timed_out:
        case Cause::busy:
        case Cause::bad_answer:
        case Cause::stopped:
            return ExitCode::unavailable;
        case Cause::authentication:
        case Cause::permission:
            return ExitCode::not_allowed;
        case Cause::internal:
            return ExitCode::io;
        default:
            return ExitCode::data;
    }
}

}  // namespace sg::cli
