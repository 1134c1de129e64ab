#pragma once
// How new a site is, and what that lets it do.

#include <array>
#include <compare>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "util/result.hpp"

namespace sg::site {

/// Major, minor, revision.
struct Version {
    std::array<int, 3> parts{};

    /// Reads the answer of `info`. Errors: `bad_answer`: no version, or none made of numbers.
    static Result<Version> from_info(const nlohmann::json& info);

    std::string text() const;
    friend auto operator<=>(const Version&, const Version&) = default;
};

/// What only newer sites do.
struct Gate {
    std::string_view what;
    Version since;
};

namespace gates {
inline constexpr Gate json_api{"the JSON API", {{2, 4, 0}}};
inline constexpr Gate work_schedule{"work schedules", {{3, 2, 0}}};
inline constexpr Gate image_urls{"URLs of images", {{3, 3, 0}}};
inline constexpr Gate followers{"following", {{5, 1, 22}}};
inline constexpr Gate session_token{"session tokens", {{5, 3, 0}}};
inline constexpr Gate sudo{"sudo_as_login", {{5, 3, 12}}};
inline constexpr Gate archived_projects{"leaving out archived projects", {{5, 3, 14}}};
inline constexpr Gate last_accessed{"update_project_last_accessed", {{5, 3, 20}}};
inline constexpr Gate reject_if_expired{"refusing expired sessions", {{5, 4, 4}}};
inline constexpr Gate schema_of_project{"the schema of a project", {{5, 4, 4}}};
inline constexpr Gate search_and_streams{"text_search, note_thread_read and activity_stream_read",
                                         {{6, 2, 0}}};
inline constexpr Gate filter_presets{"additional_filter_presets", {{7, 0, 0}}};
inline constexpr Gate following{"the list of what somebody follows", {{7, 0, 12}}};
inline constexpr Gate paging_without_counts{"paging without counts", {{7, 4, 0}}};
inline constexpr Gate preferences{"preferences_read", {{7, 10, 0}}};
}  // namespace gates

/// Errors: `not_supported`, naming what, since when, and the site's version.
Result<void> check_gate(const Gate& gate, const Version& site);

}  // namespace sg::site
