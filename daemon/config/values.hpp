#pragma once
// Single values: from the text in the file, and back to text for people.

#include <string>
#include <string_view>
#include <variant>

#include "config/config.hpp"
#include "util/result.hpp"

namespace sg::config {

/// Where a value goes. Its type decides what is accepted.
using Slot =
    std::variant<std::string*, std::filesystem::path*, std::vector<std::filesystem::path>*,
                 std::chrono::milliseconds*, std::optional<std::chrono::milliseconds>*, std::optional<Bytes>*,
                 Bytes*, int*, bool*, LogLevel*, Isolation*, OnFailure*, WhenFull*, Start*, Secret*,
                 Arguments*, EventTraits*, std::vector<std::string>*, MailTls*, LogFormat*, CallTimings*>;

/// Bounds, both included: milliseconds, bytes or a plain number, as the slot has it.
struct Range {
    std::int64_t least = 0;
    std::int64_t most = INT64_MAX;
};

/// Reads one scalar into the slot. The failure's text says what was expected, in full.
/// Lists, arguments, paths and secrets are more than a scalar: `load.cpp` reads those.
Result<void> parse(std::string_view text, const Slot& slot, const Range& range);

/// What the slot holds, as it would stand in the file; a secret as its `shown`.
std::string to_text(const Slot& slot);

/// "duration", "whole number" and so on.
std::string_view type_name(const Slot& slot) noexcept;

/// "from 50ms to 1h", or empty where every value of the type will do.
std::string range_text(const Slot& slot, const Range& range);

std::string duration_text(std::chrono::milliseconds value);

}  // namespace sg::config
