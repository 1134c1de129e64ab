#pragma once
// Addresses that mail can be sent to.

#include <algorithm>
#include <string_view>

namespace sg {

/// Whether `text` is a plain address such as `td@example.com`: printable ASCII without spaces, quotes, commas
/// or angle brackets, with one `@`. What passes cannot end a line or begin another address.
inline bool is_mail_address(std::string_view text) noexcept {
    const auto at = text.find('@');
    if (text.size() > 254 || at == 0 || at == std::string_view::npos || at + 1 == text.size()) return false;
    if (text.find('@', at + 1) != std::string_view::npos) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7f' && std::string_view("\"(),:;<>[\\]").find(c) == std::string_view::npos;
    });
}

}  // namespace sg
