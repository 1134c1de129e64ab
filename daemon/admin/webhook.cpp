#include "admin/webhook.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/types.hpp>

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

std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    const auto part = text.substr(at, digits);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 0) return std::nullopt;
    return value;
}

/// "2026-02-01T20:53:09Z", perhaps with milliseconds, which do not matter here.
std::optional<UtcTime> time_of(std::string_view text) {
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
        text[16] != ':' || text.back() != 'Z')
        return std::nullopt;
    const auto year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2),
               hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
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
