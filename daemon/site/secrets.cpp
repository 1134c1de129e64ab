#include "site/secrets.hpp"

#include <curl/curl.h>
#include <algorithm>
#include <nlohmann/json.hpp>

namespace sg::site {
namespace {

std::string quoted(std::string_view text, bool ascii) {
    auto line =
        nlohmann::json(std::string(text)).dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
    return line.substr(1, line.size() - 2);
}

}  // namespace

void Secrets::add(std::string_view secret) {
    if (secret.empty()) return;
    spellings_.emplace_back(secret);
    spellings_.push_back(quoted(secret, false));
    spellings_.push_back(quoted(secret, true));
    if (char* escaped = curl_easy_escape(nullptr, secret.data(), static_cast<int>(secret.size()))) {
        spellings_.emplace_back(escaped);
        curl_free(escaped);
    }
    std::sort(spellings_.begin(), spellings_.end(), [](const auto& a, const auto& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    spellings_.erase(std::unique(spellings_.begin(), spellings_.end()), spellings_.end());
}

std::string Secrets::strike(std::string_view text) const {
    std::string out;
    while (!text.empty()) {
        const auto hit = std::find_if(spellings_.begin(), spellings_.end(),
                                      [&](const auto& spelling) { return text.starts_with(spelling); });
        if (hit == spellings_.end()) {
            out += text.front();
            text.remove_prefix(1);
        } else {
            out += "***";
            text.remove_prefix(hit->size());
        }
    }
    return out;
}

}  // namespace sg::site
