#pragma once
// What a record of an attachment says of its file.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "util/result.hpp"

namespace sg::retriever {

struct AttachmentRecord {
    std::int64_t id = 0;  ///< 0: none; the file is fetched by it where there is one
    std::string url;      ///< of `this_file`; empty: none
    std::string name;     ///< of `this_file`, as given
    /// The file of a `local` link that is there: nothing is fetched or kept then.
    std::optional<std::filesystem::path> local;

    /// What its place in the cache is found by.
    std::string keyed_by() const;
};

/// Errors: `invalid`: it is no such record, or says neither a url nor an id.
Result<AttachmentRecord> read_attachment(const nlohmann::json& attachment);

}  // namespace sg::retriever
