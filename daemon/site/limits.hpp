#pragma once
// What no request may exceed.

#include <chrono>
#include <cstddef>

namespace sg::site {

/// Each of these holds for every request, the first of the process included.
struct Limits {
    std::chrono::milliseconds connect{10'000};     ///< name, TCP, TLS and proxy
    std::chrono::milliseconds first_byte{60'000};  ///< from the last byte sent to the first one answered
    std::chrono::milliseconds slow_window{
        20'000};                     ///< once the answer has begun, in each window of this length …
    std::size_t slow_bytes = 2'000;  ///< … at least so many bytes arrive
    std::chrono::milliseconds total{300'000};          ///< the whole request, name to last byte
    std::size_t answer_bytes = std::size_t{64} << 20;  ///< of one answer, after decompression
    std::size_t rows_bytes = std::size_t{128} << 20;   ///< of all pages of one `find` together
};

}  // namespace sg::site
