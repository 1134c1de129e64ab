#pragma once
// What calls of `Site` may be told: options, modes, sums, batches. Plain values.

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <sg/values.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// What `find` may be told beyond filters and fields.
struct FindOptions {
    /// `{{"field_name", "id"}, {"direction", "desc"}}` objects, the first one first.
    nlohmann::json order = nlohmann::json::array();
    std::int64_t limit = 0;  ///< at most so many rows; 0 is all
    std::int64_t page = 0;   ///< one page only, counted from 1; 0 is all pages
    bool retired_only = false;
    bool include_archived_projects = true;
    /// `{{"preset_name", "LATEST"}, {"latest_by", "ENTITIES_CREATED_AT"}}` objects; null: none.
    nlohmann::json additional_filter_presets = nullptr;
};

/// What an update does with a multi-entity field.
enum class UpdateMode {
    set,     ///< replaces what it holds
    add,     ///< twice is the same as once
    remove,  ///< what it does not hold is no error
};
/// By field; fields that are not named are set.
using UpdateModes = std::map<std::string, UpdateMode>;

inline nlohmann::json to_arguments(const UpdateModes& modes) {
    auto out = nlohmann::json::object();
    for (const auto& [field, mode] : modes)
        out[field] = mode == UpdateMode::add ? "add" : mode == UpdateMode::remove ? "remove" : "set";
    return out;
}

/// Writes that are done together or not at all, in their order. One result each: a row, or for `remove`
/// whether it did anything.
///
///     sg::Batch batch;
///     batch.create("Shot", {{"code", "sh020"}, {"project", project}});
///     batch.update(sequence, {{"shots", sg::links({shot})}}, {{"shots", sg::UpdateMode::add}});
///     const auto results = site.batch(batch);
class Batch {
public:
    Batch& create(std::string_view type, const nlohmann::json& data,
                  const std::vector<std::string>& fields = {}) {
        requests_.push_back({{"request_type", "create"}, {"entity_type", type}, {"data", data}});
        if (!fields.empty()) requests_.back()["return_fields"] = fields;
        return *this;
    }
    Batch& update(const EntityRef& entity, const nlohmann::json& data, const UpdateModes& modes = {}) {
        requests_.push_back({{"request_type", "update"},
                             {"entity_type", entity.type},
                             {"entity_id", entity.id},
                             {"data", data}});
        if (!modes.empty()) requests_.back()["multi_entity_update_modes"] = to_arguments(modes);
        return *this;
    }
    Batch& remove(const EntityRef& entity) {
        requests_.push_back(
            {{"request_type", "delete"}, {"entity_type", entity.type}, {"entity_id", entity.id}});
        return *this;
    }
    std::size_t size() const noexcept { return requests_.size(); }
    const nlohmann::json& as_json() const noexcept { return requests_; }

private:
    nlohmann::json requests_ = nlohmann::json::array();
};

/// One column of sums: a field, and how its values are summed up: `record_count`, `count`, `sum`, `maximum`,
/// `minimum`, `average`, `earliest`, `latest`, `percentage`, `status_percentage`, `status_list`, `checked` or
/// `unchecked`. One column for each field: a site answers by field.
struct Summary {
    std::string field;
    std::string type = "count";
};

/// One level of groups: `exact`, or for numbers `tens`, `hundreds`, `thousands`, …, for dates `day`, `week`,
/// `month`, `quarter`, `year`, `clustered_date`, `oneday`, `fivedays`, for links `entitytype`, for text
/// `firstletter`.
struct Grouping {
    std::string field;
    std::string type = "exact";
    bool descending = false;
};

struct SummarizeOptions {
    std::vector<Grouping> grouping;  ///< the outermost first
    bool include_archived_projects = true;
};

struct SearchOptions {
    std::vector<EntityId> project_ids;  ///< empty: all
    std::optional<std::int64_t> limit;  ///< of results
};

/// A part of an activity stream: updates between two ids of updates (which are not ids of events), without
/// those.
struct ActivityOptions {
    std::optional<std::int64_t> min_id, max_id;
    std::optional<std::int64_t> limit;                       ///< the site's own is 25, and 500 at most
    std::map<std::string, std::vector<std::string>> fields;  ///< by type
};

/// Whose work schedule: the studio's, or that of a project or a person.
struct ScheduleOf {
    EntityRef project, user;  ///< one of them at most
};

struct WorkScheduleChange {
    Date date{};
    bool working = true;
    std::optional<std::string> description;
    std::string recalculate_field;  ///< `due_date`, `duration`, or empty: as the site prefers
    ScheduleOf of;
};

/// Hears how a transfer gets on, a few times a second, on the thread that asked for it: bytes so far, and of
/// how many where that is known. What it throws ends the transfer, and comes out of the call.
using OnProgress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)>;

struct UploadOptions {
    std::string display_name{};       ///< empty: the file's name; not for thumbnails
    std::vector<std::string> tags{};  ///< of the attachment
    OnProgress progress{};            ///< empty: nobody wants to know
};

struct DownloadOptions {
    OnProgress progress{};
};

enum class Thumbnail { image, filmstrip };

/// A file that has come.
struct Downloaded {
    std::uint64_t bytes = 0;
    std::string content_type;
};

/// Filters in any form, as calls carry them: a list of conditions.
inline nlohmann::json filter_list(const nlohmann::json& filters) {
    auto list = nlohmann::json::array();
    if (filters.is_null()) return list;
    const bool condition = filters.is_array() && !filters.empty() && filters.front().is_string();
    const bool group = filters.is_object() && filters.contains("filter_operator");
    if (!condition && !group) return filters;
    list.push_back(filters);
    return list;
}

}  // namespace sg
