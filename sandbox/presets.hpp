#pragma once
// `additional_filter_presets` of a read.

#include <optional>
#include <set>

#include "sandbox/filter.hpp"

namespace sg::sandbox {

/// The ids of the rows that all presets of the list leave. Throws `Refusal` for a preset that is
/// malformed, or that the type does not have.
std::set<Id> preset_ids(const Json& presets, const EntityDef& def, const Scope& scope);

}  // namespace sg::sandbox
