#include "config/webhook.hpp"

#include "config/credentials.hpp"

namespace sg::config {

void check_webhook(Config& config, const std::function<bool(const std::string&)>& given, Secrets secrets,
                   const std::function<void(const std::string&, std::string)>& problem) {
    auto& webhook = config.webhook;
    const bool inside = given("webhook.token"), file = given("webhook.token_file");
    if (webhook.address.empty()) {
        if (inside || file)
            problem(inside ? "webhook.token" : "webhook.token_file", "goes with address, which is missing");
        return;
    }
    // Without one, everybody who reaches the address could make the daemon ask the site.
    if (inside == file)
        return problem("webhook", inside ? "expected token or token_file, not both"
                                         : "expected the token, or token_file, that the site signs with");
    if (file) {
        auto token = secrets == Secrets::leave ? Secret{"***", "***"} : secret_in(webhook.token_file);
        if (!token) return problem("webhook.token_file", token.error().message);
        webhook.token = std::move(*token);
    }
    if (secrets == Secrets::read && webhook.token.value.empty())
        problem("webhook.token", "expected a token, not an empty one");
}

}  // namespace sg::config
