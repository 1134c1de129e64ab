#pragma once
// The rows of the event log, kept so that a page of them is cheap to write out.

#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sandbox/entity_store.hpp"
#include "sandbox/times.hpp"

namespace sg::sandbox {

/// A text that many rows share, beside its JSON form.
struct Shared {
    std::string raw;
    std::string json;
};

/// A link of an event row. `own_text` is shown where the store never knew the target.
struct EventLink {
    const Shared* type = nullptr;  ///< null: the field is null
    Id id = 0;
    std::shared_ptr<const std::string> own_text;
};

/// One row. Members are as small as they can be: a benchmark keeps a million of them.
struct EventRow {
    Id id = 0;
    const Shared* event_type = nullptr;  ///< null: the field is null
    const Shared* attribute_name = nullptr;
    std::shared_ptr<const std::string> meta;  ///< JSON text; null: the field is null
    EventLink entity, user, project;
    std::optional<Seconds> created_at;
    std::unique_ptr<std::string> session_uuid;
    std::unique_ptr<std::string> description;
    bool hidden = false;  ///< not committed yet, as far as readers are concerned
};

/// Threads: none of its own; the site's lock guards it.
class EventLog {
public:
    using Rows = std::map<Id, EventRow>;

    /// Puts `row` in under its id, or under the next one if that is 0. An id that is taken is replaced.
    Id add(EventRow row);
    const Shared* intern(std::string_view text);
    EventLink link(const Json& value, const EntityStore& store);
    /// The one copy of a `meta` text that follows itself again and again.
    std::shared_ptr<const std::string> share_meta(std::string text);

    const Rows& rows() const noexcept { return rows_; }
    /// The highest id that readers see; 0 if there is none.
    Id newest_visible() const;
    Id next_id() const noexcept { return next_id_; }
    void set_next_id(Id id);
    /// False if there is no such row.
    bool set_hidden(Id id, bool hidden);
    /// Rows added between `begin` and `roll_back` are taken out again; their ids never appear.
    void begin() { added_.emplace(); }
    void commit() noexcept { added_.reset(); }
    void roll_back();
    /// Rows that come from now on are hidden until shown.
    void hide_next(std::size_t count) noexcept { hide_next_ += count; }

    /// The rows whose `entity`, `user` or `project` is such a link, or was before they were replaced: every
    /// hit must be looked at. Ascending; nullptr for another field. The first call for a field looks at all
    /// rows.
    const std::vector<Id>* linked_rows(const LinkHint& link) const;

    /// `changes` is told of every row that is added, hidden or shown from now on.
    void watch(Changes* changes) { watchers_.push_back(changes); }
    void unwatch(const Changes* changes) { std::erase(watchers_, changes); }

private:
    void written(Id id) {
        for (auto* changes : watchers_) changes->events.push_back(id);
    }

    Rows rows_;
    Id next_id_ = 1;
    std::size_t hide_next_ = 0;
    std::optional<std::vector<Id>> added_;  ///< since `begin`
    std::unordered_map<std::string, Shared> interned_;
    std::shared_ptr<const std::string> last_meta_;
    std::vector<Changes*> watchers_;
    mutable std::map<std::string, LinkIndex, std::less<>> indexed_;  // by field
};

/// Appends `row` as `read` returns it, with the fields of `return_fields` that a row has; `id` and
/// `type` are always there.
void write_row(std::string& out, const EventRow& row, const EntityStore& store,
               const std::vector<std::string>& return_fields);

/// A field's value as filters and sorts see it: links without names, retired targets null.
Json event_value(const EventRow& row, std::string_view field, const EntityStore& store);

}  // namespace sg::sandbox
