#pragma once
// Takes secrets out of text.

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sg::logging {

/// Replaces known texts, also as they stand in JSON, by `***`.
///
/// Threads: any.
class Mask {
public:
    static constexpr std::size_t shortest = 4;

    void add(const std::string& secret) {
        if (secret.size() < shortest) return;
        auto quoted = nlohmann::json(secret).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        quoted = quoted.substr(1, quoted.size() - 2);
        std::unique_lock lock(mutex_);
        for (const auto& form : {secret, quoted})
            if (std::find(secrets_.begin(), secrets_.end(), form) == secrets_.end()) secrets_.push_back(form);
        // The longest first: one secret may be the beginning of another.
        std::sort(secrets_.begin(), secrets_.end(),
                  [](const auto& a, const auto& b) { return a.size() > b.size(); });
    }

    std::string apply(std::string_view text) const {
        std::string out(text);
        std::shared_lock lock(mutex_);
        for (const auto& secret : secrets_)
            for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3))
                out.replace(at, secret.size(), "***");
        return out;
    }

private:
    mutable std::shared_mutex mutex_;
    std::vector<std::string> secrets_;
};

}  // namespace sg::logging
