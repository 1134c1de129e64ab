#include "host/run/registrar.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "host/run/callback_settings.hpp"

namespace sg::host {
namespace {

constexpr std::size_t most_callbacks = 10'000;
constexpr std::size_t longest_name = 250;

bool are_alerts(const nlohmann::json& value) {
    if (value == "all" || value == "none") return true;
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const auto& one) { return one.is_string(); });
}

std::optional<LogLevel> level_of(const nlohmann::json& value) {
    constexpr std::array<const char*, 5> names{"trace", "debug", "info", "warning", "error"};
    for (std::size_t i = 0; i < names.size(); ++i)
        if (value == names[i]) return static_cast<LogLevel>(i);
    return std::nullopt;
}

}  // namespace

HostRegistrar::HostRegistrar(HostState& host, std::stop_token stop)
    : host_(host),
      logger_(host.log, std::nullopt, 0),
      stop_(std::move(stop)),
      site_(host.site_calls, {std::nullopt, nullptr}, stop_) {}

void HostRegistrar::refuse(Cause cause, std::string text) {
    current_.reset();
    throw Error(cause, text);
}

RegistrationBuilder& HostRegistrar::begin(std::string_view name) {
    current_.reset();
    if (name.empty()) refuse(Cause::invalid, "a callback is registered without a name");
    if (name.size() > longest_name)
        refuse(Cause::invalid, fmt::format("the name of a callback has {} bytes, at most {} are possible",
                                           name.size(), longest_name));
    if (names_.contains(name)) refuse(Cause::invalid, fmt::format("two callbacks have the name '{}'", name));
    if (callbacks_.size() >= most_callbacks)
        refuse(Cause::invalid, fmt::format("more than {} callbacks", most_callbacks));
    current_.emplace();
    current_->info.name = name;
    return *this;
}

/// Both interfaces have a `set`: within a registration it is the callback's, else the plugin's.
void HostRegistrar::set(std::string_view name, const nlohmann::json& value) {
    if (current_)
        set_current(name, value);
    else
        set_plugin(name, value);
}

void HostRegistrar::set_current(std::string_view name, const nlohmann::json& value) {
    try {
        apply_setting(*current_, name, value);
    } catch (const Error& error) {
        refuse(error.cause(), fmt::format("callback '{}': {}", current_->info.name, error.what()));
    }
}

void HostRegistrar::set_plugin(std::string_view name, const nlohmann::json& value) {
    if (name == "alerts" && are_alerts(value)) {
        alerts_ = value;
    } else if (const auto level = level_of(value); name == "log_level" && level) {
        log_level_ = level;
        host_.log.set_level(*level);
    } else {
        refuse(Cause::not_supported,
               fmt::format("this daemon does not know the plugin's setting '{}'", name));
    }
}

void HostRegistrar::run(std::unique_ptr<CallbackBase> callback) {
    if (!current_) refuse(Cause::invalid, "a registration out of turn");
    if (!callback) refuse(Cause::invalid, fmt::format("callback '{}' has no function", current_->info.name));
    current_->run = std::move(callback);
}

void HostRegistrar::commit() {
    if (!current_ || !current_->run) refuse(Cause::invalid, "a registration out of turn");
    try {
        check_settings(*current_);
    } catch (const Error& error) {
        refuse(error.cause(), fmt::format("callback '{}': {}", current_->info.name, error.what()));
    }
    names_.insert(current_->info.name);
    callbacks_.push_back(std::move(*current_));
    current_.reset();
}

}  // namespace sg::host
