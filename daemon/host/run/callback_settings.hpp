#pragma once
// What a registration says about a callback, setting by setting.

#include <nlohmann/json.hpp>
#include <string_view>

#include "host/run/call.hpp"

namespace sg::host {

/// Sets one. Throws `Error(not_supported)` for a setting or a value that is not known here, `Error(invalid)`
/// for one that makes no sense.
void apply_setting(LoadedCallback& callback, std::string_view name, const nlohmann::json& value);

/// What is wrong with all of them together; throws `Error(invalid)`.
void check_settings(const LoadedCallback& callback);

}  // namespace sg::host
