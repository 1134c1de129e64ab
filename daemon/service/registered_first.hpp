#pragma once
// What a plugin has registered about itself counts before it is handed anything.

#include <functional>

#include "plugins/generation.hpp"

namespace sg::service {

/// Hands everything to `owner`; a generation that is ready is shown to `first` before. Loop thread only.
class RegisteredFirst final : public plugins::GenerationOwner {
public:
    RegisteredFirst(plugins::GenerationOwner& owner, std::function<void(const plugins::Generation&)> first)
        : owner_(owner), first_(std::move(first)) {}

    void on_ready(std::shared_ptr<plugins::Generation> generation) override {
        first_(*generation);
        owner_.on_ready(std::move(generation));
    }
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) override {
        owner_.on_outcomes(generation, std::move(outcomes));
    }
    void on_end(plugins::Generation& generation, const plugins::HostEnd& end) override {
        owner_.on_end(generation, end);
    }
    void on_refused(const std::string& plugin, const Failure& why, bool will_retry) override {
        owner_.on_refused(plugin, why, will_retry);
    }

private:
    plugins::GenerationOwner& owner_;
    const std::function<void(const plugins::Generation&)> first_;
};

}  // namespace sg::service
