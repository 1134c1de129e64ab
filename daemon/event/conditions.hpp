#pragma once
// What must hold of an event besides its type and attribute, for a callback to get it.

#include <sg/event.hpp>
#include <sg/event_traits.hpp>

namespace sg::event {

/// What a callback registered, and what the configuration adds to it: all of it must hold.
///
/// Threads: a value; as safe as any.
class Conditions {
public:
    /// `own_script` is the name of the script that the callback calls the site as; empty: nobody's events are
    /// its own.
    void add(EventTraits only, EventTraits never);
    void set_own_script(std::string name) { own_script_ = std::move(name); }

    bool empty() const noexcept { return only_.empty() && never_.empty(); }

    /// Whether they depend on whose events are the callback's own.
    bool ask_who_is_own() const noexcept;

    bool hold(const Event& event) const { return empty() || !failing(event); }

    /// For people: what does not hold, or empty.
    std::string why_not(const Event& event) const;

    /// Equal for conditions that let the same events through.
    nlohmann::json to_json() const;

private:
    struct Failing {
        const char* trait;
        bool is_wanted;  // … and the event has it not; else it has it and must not
    };
    std::optional<Failing> failing(const Event& event) const;

    std::vector<EventTraits> only_, never_;
    std::string own_script_;
};

}  // namespace sg::event
