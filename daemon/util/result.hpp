#pragma once
// What the world refused, as a value.

#include <fmt/format.h>
#include <chrono>
#include <optional>
#include <sg/error.hpp>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sg {

/// Why something could not be done. The message grows on the way up: what we tried, on what, why not.
struct Failure {
    Cause cause = Cause::internal;
    std::string message;
    int site_code = 0;                                     ///< `error_code` of a site's fault, else 0
    int http_status = 0;                                   ///< where an answer came, else 0
    std::optional<std::chrono::milliseconds> retry_after;  ///< what the other side asked for
};

template <class T>
using Result = tl::expected<T, Failure>;

template <class... Args>
[[nodiscard]] tl::unexpected<Failure> fail(Cause cause, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected<Failure>(
        Failure{cause, fmt::format(format, std::forward<Args>(args)...), 0, 0, {}});
}

/// The same failure with what was being done put before its text.
template <class... Args>
[[nodiscard]] tl::unexpected<Failure> fail(Failure why, fmt::format_string<Args...> format, Args&&... args) {
    why.message = fmt::format(format, std::forward<Args>(args)...) + ": " + why.message;
    return tl::unexpected<Failure>(std::move(why));
}

}  // namespace sg
