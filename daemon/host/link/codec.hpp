#pragma once
// Messages as bytes.

#include <string>
#include <string_view>
#include <vector>

#include "host/link/frame.hpp"
#include "host/link/messages.hpp"

namespace sg::host {

/// Appends whole frames, header included.
///
/// Errors: `invalid` for a message above the frame limit; nothing was appended then.
Result<void> encode(const ToHost& message, std::string& out);
Result<void> encode(const FromHost& message, std::string& out);

/// Bytes that `delivery` takes in a frame.
std::size_t encoded_size(const Delivery& delivery) noexcept;

/// Reads one frame. Events of a `Deliver` share the frame's bytes as their page.
///
/// Errors: `bad_answer` for anything that is not exactly one well-formed message.
Result<ToHost> decode_to_host(Frame frame);
Result<FromHost> decode_from_host(Frame frame);

}  // namespace sg::host
