#pragma once
// What a plugin is handed when it is loaded, to say what it wants.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <sg/callback.hpp>
#include <sg/error.hpp>
#include <sg/event_filter.hpp>
#include <sg/logger.hpp>
#include <sg/site.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// Whose name the callback's writes carry. By default the plugin's own entry in the configuration.
struct Credential {
    std::string name;         ///< of a credential in the configuration, or empty
    std::string script_name;  ///< or a script of the site and its key, handed in by the plugin; the key
    std::string script_key;   ///< stays in memory and is never logged

    static Credential named(std::string name) { return {std::move(name), {}, {}}; }
    static Credential script(std::string name, std::string key) {
        return {{}, std::move(name), std::move(key)};
    }
};

/// What happens to an event that a callback failed on.
enum class OnFailure : std::uint8_t {
    retry,  ///< try again with growing pauses while the plugin goes on; in the end it is a dead letter
    skip,   ///< say so and go on: the callback never sees the event again
    halt,   ///< stop the plugin at this event, and try again by itself until it succeeds
};

/// Everything that can be said about a callback. Name the members you need:
///
///     registrar.add({.name = "new version",
///                    .filter = sg::EventFilter{}.on("Shotgun_Version_New"),
///                    .callback = on_new_version});
///
/// The struct never leaves the plugin, so it can grow: the header turns it into calls.
struct Registration {
    std::string name;         ///< required, unique in the plugin, and stable: what is to be tried again, and
                              ///< how often it was, is kept under it across restarts and new builds
    EventFilter filter = {};  ///< every event by default
    Callback callback = {};   ///< required
    nlohmann::json args = nullptr;  ///< handed back by `Context::args`
    Credential credential = {};
    OnFailure on_failure = OnFailure::retry;
    int concurrency = 1;  ///< calls at once; more than 1 is not built yet, fails the registration
};

/// Takes one registration apart. Called by `Registrar` only: `set` for what is not the default, then
/// `run` once. What was begun and not committed, because something threw, counts for nothing.
class RegistrationBuilder {
public:
    /// One setting by name. A name that this daemon does not know throws `Error(not_supported)`:
    /// a plugin that relies on it must not run half understood. So does a value it does not know.
    virtual void set(std::string_view name, const nlohmann::json& value) = 0;

    /// Takes over the callback; never null.
    virtual void run(std::unique_ptr<CallbackBase> callback) = 0;

protected:
    ~RegistrationBuilder() = default;
};

/// Handed to the function behind `SG_PLUGIN`, once for each time the plugin is loaded.
///
/// The registrations count together when that function returns, and not at all if it throws: then
/// the plugin is not loaded, and an earlier build of it goes on running.
///
/// Threads:  the thread that called the function, and only until it returns.
/// Blocks:   calls of `site()` as described there; the function as a whole has a deadline.
class Registrar {
public:
    /// Calls `callback` for changes of one field; its name is `<type>.<attribute>`.
    void on(std::string type, std::string attribute, Callback callback) {
        std::string name = type + "." + attribute;
        add({std::move(name), EventFilter{}.on(std::move(type), {std::move(attribute)}),
             std::move(callback)});
    }

    /// Calls `callback` for changes of any of these fields; its name is `<type>.<first>,<second>…`.
    void on(std::string type, std::initializer_list<std::string_view> attributes, Callback callback) {
        std::vector<std::string> fields(attributes.begin(), attributes.end());
        std::string name = type;
        for (const auto& field : fields) name += (&field == fields.data() ? '.' : ',') + field;
        add({std::move(name), EventFilter{}.on(std::move(type), std::move(fields)), std::move(callback)});
    }

    /// Calls `callback` for every event of one type, and is named after it; `*` is every type there is.
    void on(std::string type, Callback callback) {
        std::string name = type;
        add({std::move(name), EventFilter{}.on(std::move(type)), std::move(callback)});
    }

    /// Throws `Error(invalid)` for a registration without a name or callback, or a name used twice;
    /// `Error(not_supported)` for what this daemon cannot do.
    void add(Registration registration) {
        if (registration.name.empty()) throw Error(Cause::invalid, "a registration has no name");
        if (!registration.callback)
            throw Error(Cause::invalid, "the registration '" + registration.name + "' has no callback");
        RegistrationBuilder& builder = begin(registration.name);
        builder.set("filter", registration.filter.to_json());
        if (!registration.args.is_null()) builder.set("args", registration.args);
        if (!registration.credential.name.empty()) builder.set("credential", registration.credential.name);
        if (!registration.credential.script_name.empty())
            builder.set("credential", {{"script_name", registration.credential.script_name},
                                       {"script_key", registration.credential.script_key}});
        if (registration.on_failure != OnFailure::retry)
            builder.set("on_failure", registration.on_failure == OnFailure::skip ? "skip" : "halt");
        if (registration.concurrency != 1) builder.set("concurrency", registration.concurrency);
        builder.run(registration.callback.release());
        commit();
    }

    /// Whom alerts about this plugin go to: everyone in the configuration (the default), nobody, or
    /// these addresses. The last call counts, and a plugin that is loaded again starts at the default.
    void alerts_to_all() { set("alerts", "all"); }
    void alerts_to_none() { set("alerts", "none"); }
    void alerts_to(const std::vector<std::string>& addresses) { set("alerts", addresses); }

    virtual Logger& logger() = 0;

    /// With the plugin's own credential; for checks of the site's schema, say.
    virtual Site& site() = 0;

    /// The plugin's arguments in the configuration; null if there are none.
    virtual const nlohmann::json& args() const = 0;

    /// The plugin's name: that of its file without the extension.
    virtual std::string_view plugin() const noexcept = 0;

protected:
    ~Registrar() = default;

    /// The builder lives until `commit`, or until the next `begin`, which drops what was not committed.
    virtual RegistrationBuilder& begin(std::string_view name) = 0;
    virtual void commit() = 0;

    /// One setting of the whole plugin, by name; errors as `RegistrationBuilder::set`.
    virtual void set(std::string_view name, const nlohmann::json& value) = 0;
};

}  // namespace sg
