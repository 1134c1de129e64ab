#pragma once
// The method `read`.

#include <string>

#include "sandbox/event_log.hpp"

namespace sg::sandbox {

/// Answers the parameters of a `read` with the text of `results`. Throws `Refusal`.
///
/// Reading events after an id costs the logarithm of all rows plus the page, where the filter
/// speaks of nothing but ids and the order is by id.
std::string read(const Json& params, const EntityStore& store, const EventLog& log, Seconds now);

}  // namespace sg::sandbox
