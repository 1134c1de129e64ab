#pragma once
// `POST /sandbox/control`: what `Site` offers in process, for tests that run the sandbox as a program.

#include <chrono>
#include <functional>
#include <string>

namespace sg::sandbox {

class Site;

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

    Site& site_;
    Later later_;
};

}  // namespace sg::sandbox
