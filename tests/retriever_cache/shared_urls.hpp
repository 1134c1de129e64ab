#pragma once
// What the processes of T163 ask for, and what they must get.

#include <array>
#include <string>

namespace sg::test {

inline constexpr int shared_urls = 20, shared_rounds = 50, shared_processes = 8;

inline std::string shared_url(int i) {
    return "https://demo.example.com/shared/" + std::to_string(i) + (i % 2 == 0 ? ".jpg" : "") + "?s=";
}

/// Made once: a sanitizer takes its time for each byte.
inline const std::string& shared_content(int i) {
    static const auto all = [] {
        std::array<std::string, shared_urls> made;
        for (int url = 0; url < shared_urls; ++url)
            for (int k = 0; k < 3'000 * (url + 1); ++k)
                made[static_cast<std::size_t>(url)] += static_cast<char>('a' + (k * 7 + url) % 26);
        return made;
    }();
    return all[static_cast<std::size_t>(i)];
}

}  // namespace sg::test
