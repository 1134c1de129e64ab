#pragma once
// What a plugin is handed when it is loaded, to say what it wants.

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <sg/callback.hpp>
#include <sg/error.hpp>
#include <sg/event_filter.hpp>
#include <sg/event_traits.hpp>
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

/// Which events keep their order, and never run at once, where calls of a callback may overlap.
enum class KeepOrder : std::uint8_t {
    entity,   ///< those about the same entity; those about none are kept in order among themselves
    project,  ///< those of the same project
    by_key,   ///< those for which `Registration::key` returns the same text
    nothing,  ///< every event is by itself
};

/// Which events of a callback become one call.
enum class MergeBy : std::uint8_t {
    entity_and_type,  ///< those of one event type about the same entity
    entity,           ///< those about the same entity
    project,          ///< those of the same project
    nothing,          ///< no difference is made: all of them
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
    /// Calls at once, at most 64. With more than 1 they come on several threads, and events end in any order:
    /// state that calls share needs a lock. An event runs its callbacks one after another all the same, and
    /// waits until each of them may run.
    int concurrency = 1;
    KeepOrder keep_order = KeepOrder::entity;  ///< with a concurrency of more than 1
    /// Of `KeepOrder::by_key`; called on a thread of its own before calls, and throws nothing.
    std::function<std::string(const Event&)> key = {};

    EventTraits only = {};   ///< what else must hold of an event
    EventTraits never = {};  ///< and what must not

    /// Further fields of `EventLogEntry` that its events are to have, such as `description` or
    /// `entity.Shot.sg_sequence`: fetched with each page, for all plugins. `Event::field` finds them under
    /// that name. An event that was fetched before the plugin was loaded (one that is tried again) may lack
    /// them.
    std::vector<std::string> fields = {};

    /// Not zero: the first event opens a window of this length, at most an hour; at its end there is one call
    /// with the newest event, and `Context::merged` names all. They succeed and fail together. Not with
    /// `halt`.
    std::chrono::milliseconds coalesce{0};
    MergeBy coalesce_by = MergeBy::entity_and_type;

    /// Not zero, at most an hour: the call waits until nothing that was part of creating its entity has
    /// happened for so long, or until something else happens to it. For `_New`, which comes before the fields
    /// are filled. Not with `coalesce`, nor with `halt`.
    std::chrono::milliseconds settle{0};
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
        if (registration.concurrency != 1) set_concurrency(builder, registration);
        if (!registration.only.empty()) builder.set("only", registration.only.to_json());
        if (!registration.never.empty()) builder.set("never", registration.never.to_json());
        if (!registration.fields.empty()) builder.set("fields", registration.fields);
        if (registration.coalesce.count() != 0)
            builder.set("coalesce",
                        {{"ms", registration.coalesce.count()}, {"by", name_of(registration.coalesce_by)}});
        if (registration.settle.count() != 0) builder.set("settle", registration.settle.count());
        auto callback = registration.callback.release();
        if (registration.key) callback = keyed(std::move(callback), std::move(registration.key));
        builder.run(std::move(callback));
        commit();
    }

    /// Whom alerts about this plugin go to: everyone in the configuration (the default), nobody, or
    /// these addresses. The last call counts, and a plugin that is loaded again starts at the default.
    void alerts_to_all() { set("alerts", "all"); }
    void alerts_to_none() { set("alerts", "none"); }
    void alerts_to(const std::vector<std::string>& addresses) { set("alerts", addresses); }

    /// The least important of the plugin's own lines that is kept, whatever `log_level` in the configuration
    /// says. The last call counts, and a plugin that is loaded again starts at the configured level.
    void log_level(LogLevel level) {
        constexpr const char* names[] = {"trace", "debug", "info", "warning", "error"};
        set("log_level", names[static_cast<std::size_t>(level)]);
    }

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

private:
    static void set_concurrency(RegistrationBuilder& builder, const Registration& registration) {
        const auto order = registration.keep_order;
        if (order == KeepOrder::by_key && !registration.key)
            throw Error(Cause::invalid, "the registration '" + registration.name + "' has no key");
        builder.set("concurrency", registration.concurrency);
        builder.set("keep_order", order == KeepOrder::entity    ? "entity"
                                  : order == KeepOrder::project ? "project"
                                  : order == KeepOrder::by_key  ? "key"
                                                                : "nothing");
    }
    static const char* name_of(MergeBy by) {
        return by == MergeBy::entity_and_type ? "entity_and_type"
               : by == MergeBy::entity        ? "entity"
               : by == MergeBy::project       ? "project"
                                              : "nothing";
    }
};

}  // namespace sg
