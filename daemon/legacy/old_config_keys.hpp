#pragma once
// What the old daemon knew, and what it is called now.

#include <string>
#include <string_view>
#include <vector>

namespace sg::legacy {

/// A key of shotgunEvents that needs no counterpart, or has none.
struct LeftOut {
    std::string section, key;
    std::string why;
};
const std::vector<LeftOut>& keys_left_out();

/// Keys that `convert` carries over.
const std::vector<std::string>& keys_carried_over();

/// "10", "debug" and the like as a level of ours; empty: none of them.
std::string level_name(std::string_view old);

}  // namespace sg::legacy
