#pragma once
// Whether what comes in is a delivery of the site's webhook.

#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>

#include "util/clock.hpp"

namespace sg::admin {

enum class Delivery : std::uint8_t {
    accepted,
    forged,      ///< not signed with the token
    unreadable,  ///< signed, and no delivery
    old,         ///< made too long ago, or in the future
    replayed,    ///< has been here before
};
constexpr std::size_t delivery_kinds = 5;
std::string_view to_string(Delivery delivery) noexcept;

/// Checks the signature before anything else of a delivery is looked at, in a time that does not depend on
/// how much of it is right. What is not signed, headers included, counts for nothing: a delivery is known by
/// its body.
///
/// Limits: the last 20,000 deliveries are remembered. One that has been forgotten, by that limit or over a
/// restart, is accepted again until it is too old; the harm is one query of the site.
///
/// Threads: one at a time.
class DeliveryCheck {
public:
    /// What our clock and the site's may differ by, and what a delivery may take.
    static constexpr std::chrono::minutes most_age{10};

    /// `token` is not empty.
    DeliveryCheck(std::string token, Clock& clock) : token_(std::move(token)), clock_(clock) {}

    /// `signature` is the header x-sg-signature: "sha1=" and lower-case hex.
    Delivery check(std::string_view signature, const std::string& body);

private:
    std::string token_;
    Clock& clock_;
    std::set<std::string, std::less<>> known_;  // signatures
    std::deque<std::string> order_;             // the same, oldest first
};

}  // namespace sg::admin
