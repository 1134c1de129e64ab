#pragma once
// The method `read`.

#include <string>

#include "sandbox/filter.hpp"

namespace sg::sandbox {

/// Whether the caller may read the event log; where not, it looks empty.
enum class SeesEvents { yes, no };

/// Answers the parameters of a `read` with the text of `results`. Throws `Refusal`.
///
/// Reading events after an id costs the logarithm of all rows plus the page, where the filter
/// speaks of nothing but ids and the order is by id.
std::string read(const Json& params, const Scope& scope, SeesEvents sees_events = SeesEvents::yes);

}  // namespace sg::sandbox
