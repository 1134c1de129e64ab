#include "sandbox/times.hpp"

#include <fmt/chrono.h>
#include <time.h>
#include <cctype>

namespace sg::sandbox {
namespace {

std::tm broken_down(Seconds time) { return fmt::gmtime(std::chrono::system_clock::to_time_t(time)); }

/// Reads `text` by a strptime pattern; what is left behind it is returned in `rest`.
std::optional<Seconds> scan(const char* text, const char* pattern, const char*& rest) {
    std::tm parts{};
    rest = ::strptime(text, pattern, &parts);
    if (rest == nullptr) return std::nullopt;
    const long offset = parts.tm_gmtoff;  // timegm resets it
    const std::tm asked = parts;
    const auto seconds = ::timegm(&parts);
    if (parts.tm_mday != asked.tm_mday || parts.tm_mon != asked.tm_mon) return std::nullopt;  // 30 February
    return Seconds(std::chrono::seconds(seconds - offset));
}

}  // namespace

std::string iso_text(Seconds time) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", broken_down(time)); }
std::string utc_text(Seconds time) { return fmt::format("{:%Y-%m-%d %H:%M:%S UTC}", broken_down(time)); }
std::string http_date(Seconds time) { return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", broken_down(time)); }

std::optional<Seconds> read_date(const std::string& text) {
    const char* rest = nullptr;
    const auto day = text.size() == 10 ? scan(text.c_str(), "%Y-%m-%d", rest) : std::nullopt;
    return day && *rest == '\0' ? day : std::nullopt;
}

std::optional<Seconds> read_date_time(const std::string& text) {
    if (auto day = read_date(text)) return day;
    const char* rest = nullptr;
    const auto local = scan(text.c_str(), "%Y-%m-%dT%H:%M:%S", rest);
    if (!local) return std::nullopt;
    if (*rest == '.') {
        do ++rest;
        while (std::isdigit(static_cast<unsigned char>(*rest)) != 0);
    }
    if (*rest == '\0') return local;
    const char* end = nullptr;
    std::tm zone{};
    end = ::strptime(rest, "%z", &zone);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return *local - std::chrono::seconds(zone.tm_gmtoff);
}

}  // namespace sg::sandbox
