#pragma once
// Which events of a callback become one call.

#include <string>

#include "event/event_page.hpp"
#include "plugins/generation.hpp"

namespace sg::dispatch {

/// Equal for events that become one call of a callback that gathers. Never empty. An event about nothing,
/// where that is what counts, is by itself.
std::string gathering_key(const host::Gathering& gathering, const event::EventRow& row);

/// What a row says about the quiet that callbacks wait for.
struct Stir {
    std::string entity;  ///< as in the key of a callback that settles; empty: about nothing
    bool in_create = false;
};
Stir stir_of(const event::EventRow& row);

}  // namespace sg::dispatch
