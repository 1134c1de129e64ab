#pragma once
// What a field accepts on a write.

#include <string>

#include "sandbox/entity_store.hpp"

namespace sg::sandbox {

/// The form in which a `url` field stores a web link or a path in a local storage: with all the keys that
/// `read` shows. Throws `Refusal`.
Json accepted_url(const FieldDef& field, const EntityDef& def, const Json& value, std::string_view method,
                  const EntityStore& store);

/// The form in which `value` is stored. Throws `Refusal`; `method` is the RPC method for its text.
Json accepted(const FieldDef& field, const EntityDef& def, const Json& value, std::string_view method,
              const EntityStore& store);

}  // namespace sg::sandbox
