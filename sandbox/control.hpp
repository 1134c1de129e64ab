#pragma once
// `POST /sandbox/control`: what `Site` offers in process, for tests that run the sandbox as a program.

#include <string>

namespace sg::sandbox {

class Site;

/// One command per request, a JSON object with `command`; sandbox/README.md lists them.
class Control {
public:
    explicit Control(Site& site) : site_(site) {}

    /// The answer's body; `status` becomes 400 where the command was not understood. Takes the
    /// site's lock by itself.
    std::string answer(const std::string& body, unsigned& status);

private:
    Site& site_;
};

}  // namespace sg::sandbox
