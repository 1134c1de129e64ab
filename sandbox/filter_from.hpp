#pragma once
// Conditions that look from the other end of a link: `$FROM$EventLogEntry.entity.id`.

#include "sandbox/filter.hpp"

namespace sg::sandbox {

constexpr std::string_view from_mark = "$FROM$";

/// `$FROM$TYPE.LINK.PATH`: matches the rows of `def` to which LINK of some row of TYPE points whose PATH
/// satisfies the condition, even where they are retired. Throws `Refusal`.
Filter::Test from_test(const std::string& path, const std::string& relation, const Json& values,
                       const EntityDef& def, const Scope& scope);

}  // namespace sg::sandbox
