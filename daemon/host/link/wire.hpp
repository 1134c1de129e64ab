#pragma once
// What messages look like as bytes, for the two sources that write and read them.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>

#include "host/link/messages.hpp"

namespace sg::host::wire {

/// Stands before the texts of one event.
struct DeliveryHeader {
    std::int64_t id, project, created_at;
    std::int64_t offset;  // of the raw text in the shared page; below zero: it follows
    std::uint32_t attempt, type_size, attribute_size, raw_size;
    std::uint16_t callbacks;
    std::uint8_t redelivered, unused;
    std::uint32_t merged;
};
static_assert(sizeof(DeliveryHeader) == 56);

/// Stands before the text of one outcome.
struct OutcomeHeader {
    std::int64_t event, duration_us;
    std::uint32_t error_size;
    std::uint16_t callback;
    std::uint8_t cause, ok;
};
static_assert(sizeof(OutcomeHeader) == 24);

inline constexpr std::uint16_t no_callback = std::numeric_limits<std::uint16_t>::max();

// The place of a message in its variant is its type on the wire.
template <class Message, class Variant, std::size_t I = 0>
constexpr std::uint16_t type_of() {
    if constexpr (std::is_same_v<Message, std::variant_alternative_t<I, Variant>>)
        return I;
    else
        return type_of<Message, Variant, I + 1>();
}
template <class M>
constexpr std::uint16_t to_host = type_of<M, ToHost>();
template <class M>
constexpr std::uint16_t from_host = type_of<M, FromHost>();

}  // namespace sg::host::wire
