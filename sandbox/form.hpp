#pragma once
// Forms, as browsers and clients post them.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/http_server.hpp"

namespace sg::sandbox {

/// One file of a form.
struct FormFile {
    std::string field, name, content_type;
    Slice bytes;
};

struct Form {
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<FormFile> files;

    /// Empty where there is none.
    std::string get(std::string_view name) const;
    bool has(std::string_view name) const;
};

/// Reads `a=b&c=d`.
Form read_url_encoded(std::string_view text);

/// Reads the form of a request by its content type: url-encoded, or multipart where its body was
/// stored; its files are stretches of that. nullopt where it is neither.
std::optional<Form> read_form(const HttpRequest& request);

}  // namespace sg::sandbox
