#pragma once
// Messages as bytes.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/link/frame.hpp"
#include "host/link/messages.hpp"
#include "host/link/shared_text.hpp"

namespace sg::host {

/// Appends whole frames, header included.
///
/// Errors: `invalid` for a message above the frame limit; nothing was appended then.
Result<void> encode(const ToHost& message, std::string& out);
Result<void> encode(const FromHost& message, std::string& out);

/// A `Deliver` of these. Events that lie in the text of `shared` are only pointed at: the host has
/// that page's text. Errors as above.
Result<void> encode_events(std::span<const Delivery> events, const event::EventPage* shared,
                           std::string& out);

/// Tells the host of a text of that size, which comes as a descriptor.
void encode_share(std::size_t size, std::string& out);

/// Bytes that `delivery` takes in a frame, with its text.
std::size_t encoded_size(const Delivery& delivery) noexcept;

/// Reads one frame. Events of a `Deliver` share the frame's bytes as their page, and keep `shared`
/// alive, the text that was shared last, when they lie in it.
///
/// Errors: `bad_answer` for anything that is not exactly one well-formed message.
Result<ToHost> decode_to_host(Frame frame, const std::shared_ptr<const MappedText>& shared = nullptr);

/// The size that a frame of `share_type` tells. Errors: `bad_answer`.
Result<std::size_t> decode_share(const Frame& frame);
Result<FromHost> decode_from_host(Frame frame);

}  // namespace sg::host
