#pragma once
// A plugin compiled into the test, loaded and called as a host would.

#include <cstddef>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <sg/registrar.hpp>
#include <sg/testing/context.hpp>
#include <sg/testing/event.hpp>
#include <sg/testing/logger.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What `SG_PLUGIN` defines in the plugin's source.
extern "C" void sg_plugin_entry(sg::Registrar& registrar);

namespace sg::testing {

/// Collects what the plugin registers and runs its callbacks and their tasks, in the calling thread.
///
/// Settings are accepted and refused as by this version of the daemon. Loading throws what the
/// plugin's registration throws; `handle` throws what a callback throws.
class Plugin final : private Registrar, private RegistrationBuilder {
public:
    struct Registered {
        std::string name;
        EventFilter filter;
        nlohmann::json args;        ///< null: the plugin's
        nlohmann::json credential;  ///< null: the plugin's
        nlohmann::json settings;    ///< the other ones, by name
        std::unique_ptr<CallbackBase> callback;
    };

    /// Loads the plugin. `site` must live as long as this; `args` is what the configuration would say.
    explicit Plugin(Site& site, nlohmann::json args = nullptr, std::string name = "plugin",
                    void (*entry)(Registrar&) = sg_plugin_entry)
        : site_(site), args_(std::move(args)), name_(std::move(name)) {
        entry(*this);
    }
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    const std::vector<Registered>& callbacks() const noexcept { return callbacks_; }
    const nlohmann::json& alerts() const noexcept { return alerts_; }

    /// "debug", …; null where it chose none.
    const nlohmann::json& log_level() const noexcept { return log_level_; }
    CaptureLogger& log() noexcept { return log_; }

    /// Runs every callback whose filter wants the event, in the order they were registered; how many did.
    /// Nothing is merged or waited for, and what else must hold (`only`, `never`) is not looked at.
    std::size_t handle(const Event& event, const Call& call = {}) {
        std::size_t ran = 0;
        for (auto& registered : callbacks_) {
            if (!registered.filter.matches(event.type(), event.attribute())) continue;
            run(registered, event, call);
            ++ran;
        }
        return ran;
    }
    std::size_t handle(const nlohmann::json& row, const Call& call = {}) {
        const EventFromJson event(row);
        return handle(event, call);
    }

private:
    class Ended final : public Completion {
    public:
        void succeeded() noexcept override { told = true; }
        void failed(std::exception_ptr reason) noexcept override {
            told = true;
            why = std::move(reason);
        }
        bool told = false;
        std::exception_ptr why;
    };

    void run(Registered& registered, const Event& event, Call call) {
        if (call.merged.empty()) call.merged = {event.id()};
        FakeContext context(site_, log_, registered.args.is_null() ? args_ : registered.args,
                            std::move(call));
        Ended ended;
        registered.callback->start(event, context, ended);
        context.tasks().run_all();
        if (!ended.told) throw std::logic_error("the callback '" + registered.name + "' has not ended");
        if (ended.why) std::rethrow_exception(ended.why);
    }

    Logger& logger() override { return log_; }
    Site& site() override { return site_; }
    const nlohmann::json& args() const override { return args_; }
    std::string_view plugin() const noexcept override { return name_; }

    RegistrationBuilder& begin(std::string_view name) override {
        for (const auto& registered : callbacks_)
            if (registered.name == name)
                throw Error(Cause::invalid, "the name '" + std::string(name) + "' is registered twice");
        next_ = {};
        next_.name = name;
        return *this;
    }
    void commit() override { callbacks_.push_back(std::move(next_)); }
    void run(std::unique_ptr<CallbackBase> callback) override { next_.callback = std::move(callback); }

    // Both interfaces have a `set`: a setting of the callback begun, else one of the plugin.
    void set(std::string_view name, const nlohmann::json& value) override {
        if (name == "filter")
            next_.filter = EventFilter::from_json(value);
        else if (name == "args")
            next_.args = value;
        else if (name == "credential")
            next_.credential = value;
        else if (name == "alerts")
            alerts_ = value;
        else if (name == "log_level")
            log_level_ = value;
        else if (is_setting(name))
            next_.settings[std::string(name)] = value;
        else
            throw Error(Cause::not_supported, "this version has no '" + std::string(name) + "'");
    }

    static bool is_setting(std::string_view name) {
        for (const auto* known :
             {"on_failure", "concurrency", "keep_order", "only", "never", "fields", "coalesce", "settle"})
            if (name == known) return true;
        return false;
    }

    Site& site_;
    CaptureLogger log_;
    const nlohmann::json args_;
    const std::string name_;
    nlohmann::json alerts_ = "all", log_level_;
    Registered next_;
    std::vector<Registered> callbacks_;
};

}  // namespace sg::testing
