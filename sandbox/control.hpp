#pragma once
// `POST /sandbox/control`: what `Site` offers in process, for tests that run the sandbox as a program.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sandbox/fault.hpp"

namespace sg::sandbox {

class Site;

/// The commands about webhooks; nullopt for any other. Throws what JSON of another shape throws.
std::optional<nlohmann::json> webhook_command(Site& site, const std::string& command,
                                              const nlohmann::json& in);

/// One command per request, a JSON object with `command`; sandbox/README.md lists them.
class Control {
public:
    /// Does something on the server's thread after a pause and after the answer at hand.
    using Later = std::function<void(std::chrono::milliseconds, std::function<void()>)>;

    Control(Site& site, Later later) : site_(site), later_(std::move(later)) {}

    /// The answer's body; `status` becomes 400 where the command was not understood. Takes the
    /// site's lock by itself.
    std::string answer(const std::string& body, unsigned& status);

private:
    void disturb(const std::string& command, std::chrono::milliseconds pause);
    Fault gated(Fault fault, const nlohmann::json& in);
    std::string gate_named(const std::string& name, bool open);

    Site& site_;
    Later later_;
    std::mutex mutex_;  // guards the gates
    std::map<std::string, std::shared_ptr<Gate>> gates_;
};

}  // namespace sg::sandbox
