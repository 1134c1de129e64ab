#pragma once
// Reading small files that people wrote.

#include <filesystem>
#include <string>

#include "util/result.hpp"

namespace sg::config {

/// Who may have written a file: with `everyone` nothing is asked.
enum class Writers { everyone, not_everyone };

/// The content of a regular file of at most `most` bytes. Blocks on the disk.
/// Errors: a short phrase such as "is a directory" or "No such file or directory".
Result<std::string> read_text(const std::filesystem::path& file, std::size_t most,
                              Writers writers = Writers::everyone);

}  // namespace sg::config
