#pragma once
// What a plugin's registration is handed.

#include <set>
#include <sg/registrar.hpp>
#include <vector>

#include "host/run/call.hpp"

namespace sg::host {

/// Collects registrations. What it does not know it throws at the plugin, by name.
class HostRegistrar final : public Registrar, private RegistrationBuilder {
public:
    HostRegistrar(HostState& host, std::stop_token stop);

    Logger& logger() override { return logger_; }
    Site& site() override { return site_; }
    const nlohmann::json& args() const override { return host_.args; }
    std::string_view plugin() const noexcept override { return host_.settings.plugin; }

    std::vector<LoadedCallback> take_callbacks() { return std::move(callbacks_); }
    const nlohmann::json& alerts() const noexcept { return alerts_; }
    std::optional<LogLevel> log_level() const noexcept { return log_level_; }

private:
    RegistrationBuilder& begin(std::string_view name) override;
    void commit() override;
    void set(std::string_view name, const nlohmann::json& value) override;
    void run(std::unique_ptr<CallbackBase> callback) override;

    void set_current(std::string_view name, const nlohmann::json& value);
    void set_plugin(std::string_view name, const nlohmann::json& value);
    [[noreturn]] void refuse(Cause cause, std::string text);

    HostState& host_;
    LinkLogger logger_;
    const std::stop_token stop_;
    SiteStub site_;
    std::optional<LoadedCallback> current_;
    std::vector<LoadedCallback> callbacks_;
    std::set<std::string, std::less<>> names_;
    nlohmann::json alerts_ = "all";
    std::optional<LogLevel> log_level_;
};

}  // namespace sg::host
