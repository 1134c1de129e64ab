#pragma once
// The fields of a site as a text, so that what was edited can be kept.

#include <string>

#include "sandbox/schema.hpp"

namespace sg::sandbox {

/// Every type's fields, deleted ones included.
std::string schema_as_text(const Schema& schema);

/// Gives the types of `schema` the fields that `schema_as_text` wrote; types it does not name stay as
/// they are. False if the text is something else; `schema` then may be changed in part.
bool apply_schema_text(Schema& schema, const std::string& text);

}  // namespace sg::sandbox
