#include "admin/webhook.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sg/types.hpp>

#include "util/utc_text.hpp"

namespace sg::admin {
namespace {

constexpr std::size_t most_known = 20'000;

/// Empty where it cannot be made; no signature is as short.
std::string signature_of(const std::string& token, const std::string& body) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (::HMAC(::EVP_sha1(), token.data(), static_cast<int>(token.size()),
               reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(),
               &length) == nullptr)
        return {};
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out = "sha1=";
    for (unsigned i = 0; i < length; ++i) {
        out += hex[digest[i] >> 4];
        out += hex[digest[i] & 15];
    }
    return out;
}

/// "2026-02-01T20:53:09Z", perhaps with a fraction of a second, which does not matter here.
std::optional<UtcTime> time_of(std::string_view text) {
    constexpr std::size_t whole = std::string_view("2026-02-01T20:53:09").size();
    if (text.size() <= whole || text[whole] != '.') return read_utc(text);
    const auto fraction = text.substr(whole + 1);
    const auto end = fraction.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos || fraction.substr(end) != "Z") return std::nullopt;
    return read_utc(std::string(text.substr(0, whole)) + "Z");
}

std::optional<UtcTime> time_in(const std::string& body) {
    const auto parsed = nlohmann::json::parse(body, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("data")) return std::nullopt;
    const auto made = parsed.find("timestamp");
    if (made == parsed.end() || !made->is_string()) return std::nullopt;
    return time_of(made->get_ref<const std::string&>());
}

}  // namespace

std::string_view to_string(Delivery delivery) noexcept {
    static constexpr std::array<std::string_view, delivery_kinds> names{"accepted", "forged", "unreadable",
                                                                        "old", "replayed"};
    return names[static_cast<std::size_t>(delivery)];
}

Delivery DeliveryCheck::check(std::string_view signature, const std::string& body) {
    auto expected = signature_of(token_, body);
    if (expected.empty() || signature.size() != expected.size() ||
        ::CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) != 0)
        return Delivery::forged;
    const auto made = time_in(body);
    if (!made) return Delivery::unreadable;
    const auto age = clock_.utc() - *made;
    if (age > most_age || age < -most_age) return Delivery::old;
    if (!known_.insert(expected).second) return Delivery::replayed;
    order_.push_back(std::move(expected));
    if (order_.size() > most_known) {
        known_.erase(order_.front());
        order_.pop_front();
    }
    return Delivery::accepted;
}

}  // namespace sg::admin
