#pragma once
// What can be known of a plugin's file without running any of it.

#include <string>
#include <string_view>

#include "util/result.hpp"

namespace sg::plugins {

/// The ABI note of a shared library of this machine, all of which is inside `bytes`. The loader
/// checks none of that: it dies on half a file.
/// Errors: `invalid`, saying what it is instead, or what is missing.
Result<std::string> read_abi_note(std::string_view bytes);

/// Whether a plugin built as `theirs` says can run in a host built as `ours` says (SG_ABI_TEXT):
/// api (major equal, minor not newer), stdlib, sanitizer, json.
/// Errors: `invalid`, naming both sides.
Result<void> compare_abi(std::string_view theirs, std::string_view ours);

}  // namespace sg::plugins
