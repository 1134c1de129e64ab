#include "config/admin.hpp"

#include <fmt/format.h>

#include "config/credentials.hpp"

namespace sg::config {
namespace {

// Everybody on this machine may try one after another.
constexpr std::size_t shortest_token = 16;

}  // namespace

void check_admin(Config& config, const std::function<bool(const std::string&)>& given, Secrets secrets,
                 const std::function<void(const std::string&, std::string)>& problem) {
    auto& admin = config.admin;
    const bool inside = given("admin.token"), file = given("admin.token_file");
    if (!inside && !file) return;
    const std::string key = inside ? "admin.token" : "admin.token_file";
    if (admin.address.empty()) return problem(key, "goes with address, which is missing");
    if (inside && file) return problem("admin", "expected token or token_file, not both");
    if (file) {
        auto token = secrets == Secrets::leave ? Secret{"***", "***"} : secret_in(admin.token_file);
        if (!token) return problem(key, token.error().message);
        admin.token = std::move(*token);
    }
    if (secrets == Secrets::read && admin.token.value.size() < shortest_token)
        problem(key, fmt::format("expected at least {} characters, such as `openssl rand -hex 16` makes",
                                 shortest_token));
}

}  // namespace sg::config
