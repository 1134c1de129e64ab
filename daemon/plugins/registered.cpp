// What a host's registration comes to, with what the configuration says about the plugin.
#include "plugins/live_generation.hpp"

namespace sg::plugins {

void LiveGeneration::on_registered(host::Registered registered) {
    if (registered_ || refused_) return reject("it registered twice");
    for (auto& callback : registered.callbacks) {
        credentials_.push_back(callback.credential);
        auto info = info_of(std::move(callback));
        if (!info) return refuse_registration(std::move(info.error()));
        overlaps_ = overlaps_ || info->concurrency > 1;
        if (overlaps_) expected_.let_overlap();
        callbacks_.push_back(std::move(*info));
    }
    alerts_ = std::move(registered.alerts);
    log_level_ = registered.log_level;
    registered_ = true;
    std::vector<std::string> names;
    for (const auto& callback : callbacks_) names.push_back(callback.name);
    body_->name_callbacks(names);
    if (draining_) return;
    end_timer_.reset();
    stuck_ = false;
    handlers_.ready();
}

/// The host ends by itself, with nothing in hand; if it does not, the deadline of registrations ends it.
void LiveGeneration::refuse_registration(Failure why) {
    refused_ = std::move(why);
    body_->channel().send(host::Drain{});
}

Result<CallbackInfo> LiveGeneration::info_of(host::RegisteredCallback registered) const {
    CallbackInfo info;
    info.name = std::move(registered.name);
    info.filter = std::move(registered.filter);
    info.on_failure = registered.on_failure;
    info.fields = std::move(registered.fields);
    info.gathering = registered.gathering;
    info.concurrency = registered.concurrency;
    info.conditions.add(std::move(registered.only), std::move(registered.never));
    info.conditions.add(plan_.settings->only, plan_.settings->never);
    if (!info.conditions.ask_who_is_own()) return info;
    auto script = std::move(registered.credential.script_name);
    if (script.empty()) {
        const auto& named = registered.credential.name;
        const auto known = plan_.options->scripts.find(named.empty() ? plan_.settings->credential : named);
        // Without a credential it changes nothing, and nothing is its own.
        if (known != plan_.options->scripts.end()) {
            if (known->second.empty())
                return fail(
                    Cause::invalid,
                    "callback '{}': events of its own are to be left out, but its credential is that of "
                    "a person: nobody could tell them apart",
                    info.name);
            script = known->second;
        }
    }
    info.conditions.set_own_script(std::move(script));
    return info;
}

}  // namespace sg::plugins
