#include "host/run/registrar.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace sg::host {
namespace {

constexpr std::size_t most_callbacks = 10'000;
constexpr std::size_t longest_name = 250;

bool are_alerts(const nlohmann::json& value) {
    if (value == "all" || value == "none") return true;
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const auto& one) { return one.is_string(); });
}

}  // namespace

HostRegistrar::HostRegistrar(HostState& host, std::stop_token stop)
    : host_(host),
      logger_(host.log, std::nullopt, 0),
      site_(host.site_calls, {std::nullopt, nullptr, std::move(stop)}) {}

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
    const auto& callback = current_->info.name;
    const auto has_script = [&] {
        return value.is_object() && value.contains("script_name") && value["script_name"].is_string() &&
               value.contains("script_key") && value["script_key"].is_string();
    };
    if (name == "filter") {
        try {
            current_->info.filter = EventFilter::from_json(value);
        } catch (const Error& error) {
            refuse(Cause::invalid, fmt::format("callback '{}': {}", callback, error.what()));
        }
    } else if (name == "args") {
        current_->args = value;
    } else if (name == "credential" && value.is_string()) {
        current_->info.credential.name = value.get<std::string>();
    } else if (name == "credential" && has_script()) {
        current_->info.credential.script_name = value["script_name"].get<std::string>();
        current_->info.credential.script_key = value["script_key"].get<std::string>();
    } else if (name == "on_failure") {
        set_on_failure(value);
    } else if (name == "concurrency" && value != 1) {
        refuse(Cause::not_supported,
               fmt::format("callback '{}': a concurrency other than 1 is not supported by this daemon",
                           callback));
    } else if (name != "concurrency") {
        refuse(Cause::not_supported,
               fmt::format("callback '{}': this daemon does not know the setting '{}'", callback, name));
    }
}

void HostRegistrar::set_on_failure(const nlohmann::json& value) {
    auto& policy = current_->info.on_failure;
    if (value == "retry")
        policy = OnFailure::retry;
    else if (value == "skip")
        policy = OnFailure::skip;
    else if (value == "halt")
        policy = OnFailure::halt;
    else
        refuse(Cause::not_supported,
               fmt::format("callback '{}': on_failure '{}' is not supported by this daemon",
                           current_->info.name, value.is_string() ? value.get<std::string>() : "?"));
}

void HostRegistrar::set_plugin(std::string_view name, const nlohmann::json& value) {
    if (name != "alerts" || !are_alerts(value))
        refuse(Cause::not_supported,
               fmt::format("this daemon does not know the plugin's setting '{}'", name));
    alerts_ = value;
}

void HostRegistrar::run(std::unique_ptr<CallbackBase> callback) {
    if (!current_) refuse(Cause::invalid, "a registration out of turn");
    if (!callback) refuse(Cause::invalid, fmt::format("callback '{}' has no function", current_->info.name));
    current_->run = std::move(callback);
}

void HostRegistrar::commit() {
    if (!current_ || !current_->run) refuse(Cause::invalid, "a registration out of turn");
    names_.insert(current_->info.name);
    callbacks_.push_back(std::move(*current_));
    current_.reset();
}

}  // namespace sg::host
