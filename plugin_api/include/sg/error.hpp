#pragma once
// What calls on `Site` and friends throw, and what a callback may throw to say why it failed.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sg {

/// Who can do something about a failure. Grows at the end only; treat an unknown value as `internal`.
enum class Cause : std::uint8_t {
    network,         ///< could not connect, connection lost, name not found
    timed_out,       ///< a limit passed before the answer was whole
    busy,            ///< the site asks to slow down, or is under maintenance (429, 502, 503, 504)
    authentication,  ///< the credential is wrong, revoked or missing
    permission,      ///< the credential may not do this
    bad_request,     ///< the site refused what was asked: unknown field, wrong value, no such entity
    bad_answer,      ///< the answer could not be understood
    stopped,         ///< the call was stopped: the daemon ends, or the callback's deadline passed
    invalid,         ///< the arguments make no sense; nothing was sent
    not_supported,   ///< this daemon does not know what was asked for
    internal,        ///< a fault of the daemon or of the plugin
};

/// Worth trying again by itself: the request was fine, the moment was not.
constexpr bool is_transient(Cause cause) noexcept {
    return cause == Cause::network || cause == Cause::timed_out || cause == Cause::busy ||
           cause == Cause::bad_answer || cause == Cause::stopped;
}

constexpr std::string_view to_string(Cause cause) noexcept {
    switch (cause) {
        case Cause::network:
            return "network";
        case Cause::timed_out:
            return "timed out";
        case Cause::busy:
            return "busy";
        case Cause::authentication:
            return "authentication";
        case Cause::permission:
            return "permission";
        case Cause::bad_request:
            return "bad request";
        case Cause::bad_answer:
            return "bad answer";
        case Cause::stopped:
            return "stopped";
        case Cause::invalid:
            return "invalid";
        case Cause::not_supported:
            return "not supported";
        case Cause::internal:
            break;
    }
    return "internal";
}

/// Thrown by what a callback asks for. Left uncaught it fails the callback, which is what most
/// plugins want: the lane's policy then tries the event again.
class Error : public std::runtime_error {
public:
    Error(Cause cause, const std::string& message, int site_code = 0)
        : std::runtime_error(message), cause_(cause), site_code_(site_code) {}

    Cause cause() const noexcept { return cause_; }

    /// The `error_code` of the site's fault (102, 103, 104 …), or 0 where the site gave none.
    int site_code() const noexcept { return site_code_; }

private:
    Cause cause_;
    int site_code_;
};

}  // namespace sg
