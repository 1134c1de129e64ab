#pragma once
// What a site keeps beside its rows and its event log, as text for the data file.

#include <string>
#include <string_view>

#include "sandbox/site_state.hpp"

namespace sg::sandbox {

std::string state_as_text(const SiteState& state);

/// An empty text changes nothing. False for one that `state_as_text` did not make.
bool apply_state_text(SiteState& state, std::string_view text);

}  // namespace sg::sandbox
