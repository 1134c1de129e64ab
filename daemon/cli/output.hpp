#pragma once
// For whom a command prints.

namespace sg::cli {

enum class Output { text, json };

}  // namespace sg::cli
