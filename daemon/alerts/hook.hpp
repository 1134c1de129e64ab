#pragma once
// Alerts as an HTTP request.

#include <chrono>
#include <filesystem>
#include <memory>

#include "alerts/alert.hpp"

namespace sg::alerts {

struct HookSettings {
    std::string url;  ///< a secret: those of chat services hold a token
    std::filesystem::path ca_file;
    std::chrono::milliseconds timeout{30'000};
};

/// Posts `to_json(message)`. Any 2xx is success; redirects are not followed. Failures do not repeat the URL.
std::unique_ptr<Sender> make_hook_sender(HookSettings settings, Origin origin);

}  // namespace sg::alerts
