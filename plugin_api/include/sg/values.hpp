#pragma once
// Values of fields: what C++ has for them, and how they are written for the site.
//
// What reads is lenient, as rows of a site are: a value that is null, absent or of another kind reads as
// empty. What writes is not: it throws `Error(invalid)` for what no site could take.

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// A day, as `date` fields hold it: of no time zone, and never shifted by one.
using Date = std::chrono::year_month_day;

/// The text of a `date` field, `2026-03-04`. Throws `Error(invalid)` for the 30th of February.
inline std::string date_text(const Date& date) {
    if (!date.ok() || date.year() < std::chrono::year{0} || date.year() > std::chrono::year{9999})
        throw Error(Cause::invalid, "there is no such day");
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

/// The text of a `date_time` field, `2026-03-04T05:06:07Z`; fractions of a second are cut off. Throws
/// `Error(invalid)` outside the years 0 to 9999.
inline std::string time_text(UtcTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::hh_mm_ss clock(seconds - day);
    char text[16];
    std::snprintf(text, sizeof text, "T%02d:%02d:%02dZ", static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return date_text(Date(day)) + text;
}

namespace detail {

/// `pattern` holds `0` where a digit stands; everything else stands for itself.
inline bool looks_like(std::string_view text, std::string_view pattern) noexcept {
    if (text.size() != pattern.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i]) return false;
    return true;
}
inline unsigned digits(std::string_view text, std::size_t at, std::size_t count) noexcept {
    unsigned value = 0;
    for (std::size_t i = at; i < at + count; ++i) value = value * 10 + static_cast<unsigned>(text[i] - '0');
    return value;
}
inline std::optional<Date> date_of(std::string_view text) noexcept {
    const Date date{std::chrono::year(static_cast<int>(digits(text, 0, 4))),
                    std::chrono::month(digits(text, 5, 2)), std::chrono::day(digits(text, 8, 2))};
    return date.ok() ? std::optional(date) : std::nullopt;
}
inline std::string text_of(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace detail

/// Reads a `date` field.
inline std::optional<Date> read_date(const nlohmann::json& value) {
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    return detail::looks_like(text, "0000-00-00") ? detail::date_of(text) : std::nullopt;
}

/// Reads a `date_time` field, in both forms that sites use: `2026-03-04T05:06:07Z`, and
/// `2026-03-04 05:06:07 UTC` as in activity streams, note threads and `meta`.
inline std::optional<UtcTime> read_time(const nlohmann::json& value) {
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (!detail::looks_like(text, "0000-00-00T00:00:00Z") &&
        !detail::looks_like(text, "0000-00-00 00:00:00 UTC"))
        return std::nullopt;
    const auto date = detail::date_of(text);
    const auto hour = detail::digits(text, 11, 2), minute = detail::digits(text, 14, 2),
               second = detail::digits(text, 17, 2);
    if (!date || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return std::chrono::sys_days(*date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

/// The value of a `multi_entity` field. A null link among them throws `Error(invalid)`.
inline nlohmann::json links(const std::vector<EntityRef>& entities) {
    auto out = nlohmann::json::array();
    for (const auto& entity : entities) {
        if (!entity) throw Error(Cause::invalid, "a list of links holds no null link");
        out.push_back(entity);
    }
    return out;
}

/// Reads a `multi_entity` field; what is no link is left out.
inline std::vector<EntityRef> read_links(const nlohmann::json& value) {
    std::vector<EntityRef> out;
    if (!value.is_array()) return out;
    for (const auto& each : value)
        if (auto ref = EntityRef::from_json(each)) out.push_back(std::move(ref));
    return out;
}

/// The value of a `url` field: a page, a file on a disk, an uploaded file, or nothing.
///
///     site.update(version, {{"sg_link", sg::FileLink::web("https://wiki.example.com/r/1", "Review")}});
struct FileLink {
    enum class Kind { none, web, local, upload };

    Kind kind = Kind::none;
    std::string name;           ///< what people see
    std::string url;            ///< of an upload it may expire within minutes
    std::string content_type;   ///< empty where the site does not say
    std::string local_path;     ///< on this platform; empty for files that are not on a disk
    EntityRef storage;          ///< the LocalStorage of a local file
    std::string relative_path;  ///< below it, with forward slashes
    EntityRef attachment;       ///< of an upload; the null link where the site does not say

    explicit operator bool() const noexcept { return kind != Kind::none; }

    static FileLink web(std::string url, std::string name = {}) {
        FileLink out;
        out.kind = Kind::web;
        out.name = std::move(name);
        out.url = std::move(url);
        return out;
    }
    /// A path; the site finds the LocalStorage it lies below.
    static FileLink local(std::string path, std::string name = {}) {
        FileLink out;
        out.kind = Kind::local;
        out.name = std::move(name);
        out.local_path = std::move(path);
        return out;
    }
    static FileLink in_storage(EntityRef storage, std::string relative_path, std::string name = {}) {
        FileLink out;
        out.kind = Kind::local;
        out.name = std::move(name);
        out.storage = std::move(storage);
        out.relative_path = std::move(relative_path);
        return out;
    }

    static FileLink from_json(const nlohmann::json& value) {
        FileLink out;
        if (!value.is_object()) return out;
        const auto type = detail::text_of(value, "link_type");
        // One page of the reference calls a web link "url".
        out.kind = type == "upload"                 ? Kind::upload
                   : type == "local"                ? Kind::local
                   : type == "web" || type == "url" ? Kind::web
                   : value.contains("url")          ? Kind::web
                                                    : Kind::none;
        out.name = detail::text_of(value, "name");
        out.url = detail::text_of(value, "url");
        out.content_type = detail::text_of(value, "content_type");
        out.local_path = detail::text_of(value, "local_path_linux");
        if (out.local_path.empty()) out.local_path = detail::text_of(value, "local_path");
        out.relative_path = detail::text_of(value, "relative_path");
        if (const auto found = value.find("local_storage"); found != value.end())
            out.storage = EntityRef::from_json(*found);
        out.attachment = EntityRef::from_json(value);
        return out;
    }
};

/// As the site takes it. Throws `Error(invalid)` for an upload, which is no value but a transfer, and for a
/// link to nowhere.
inline void to_json(nlohmann::json& out, const FileLink& link) {
    const auto refuse = [](const char* why) { throw Error(Cause::invalid, why); };
    if (link.kind == FileLink::Kind::none) {
        out = nullptr;
        return;
    }
    // Not in `out`: it may be half made, and what it held would be lost when this throws.
    auto value = nlohmann::json::object();
    if (link.kind == FileLink::Kind::upload) refuse("an upload cannot be written as the value of a field");
    if (link.kind == FileLink::Kind::web) {
        if (link.url.empty()) refuse("a link to a page needs a URL");
        value["url"] = link.url;
    } else if (!link.local_path.empty()) {
        value["local_path"] = link.local_path;
    } else {
        if (!link.storage || link.relative_path.empty()) refuse("a link to a file needs a path");
        value["local_storage"] = link.storage;
        value["relative_path"] = link.relative_path;
    }
    if (!link.name.empty()) value["name"] = link.name;
    if (!link.content_type.empty()) value["content_type"] = link.content_type;
    out = std::move(value);
}
inline void from_json(const nlohmann::json& in, FileLink& link) { link = FileLink::from_json(in); }

/// What the value of an `image` field says of the picture.
enum class ImageState {
    none,    ///< there is none, or it could not be made
    making,  ///< the URL is that of a placeholder; ask again later
    ready,   ///< the URL is the picture's, and expires
};
inline ImageState image_state(const nlohmann::json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return ImageState::none;
    const std::string_view url = value.get_ref<const std::string&>();
    const auto scheme = url.find("://");
    const auto path = url.find('/', scheme == url.npos ? 0 : scheme + 3);
    return path != url.npos && url.substr(path).starts_with("/images/status/transient/") ? ImageState::making
                                                                                         : ImageState::ready;
}

}  // namespace sg
