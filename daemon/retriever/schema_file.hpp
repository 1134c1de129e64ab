#pragma once
// One document on disk, with the time it was fetched and a checksum.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "retriever/cache_folders.hpp"
#include "util/result.hpp"

namespace sg::retriever {

struct KeptDocument {
    nlohmann::json value;
    WallTime fetched;
};

/// Where documents are kept below `root`.
inline constexpr std::string_view schema_folder = "schema";

/// nullopt: there is none, or another version of the daemon wrote it. Errors: `bad_answer`: it is damaged;
/// `internal`: the disk refuses.
Result<std::optional<KeptDocument>> read_document(const std::filesystem::path& root, const std::string& name);

/// Replaces it; nobody sees half of it. Errors: `invalid`: JSON cannot say it; `internal`: the disk refuses.
Result<void> write_document(const std::filesystem::path& root, const std::string& name,
                            const KeptDocument& document, unsigned file_mode, unsigned dir_mode);

}  // namespace sg::retriever
