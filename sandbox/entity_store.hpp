#pragma once
// The rows of every type but the event log.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sandbox/changes.hpp"
#include "sandbox/link_index.hpp"
#include "sandbox/schema.hpp"

namespace sg::sandbox {

using Id = std::int64_t;
using Json = nlohmann::json;

/// `fields` holds values as a write leaves them; a link there is `{"type", "id"}` without a name.
struct Record {
    const EntityDef* def = nullptr;
    Id id = 0;
    bool retired = false;
    std::map<std::string, Json, std::less<>> fields;
    std::string link_text;  ///< `{"type":…,"id":…,"name":…}` as other rows show it

    std::string name() const;
    /// Where nothing is stored: `[]` for lists of links, false for a checkbox, null for the rest.
    const Json& value(std::string_view field) const;
};

/// Rows by type and id, and the schema they follow.
///
/// A transaction keeps what its rows were before it: `begin`, then `commit` or `roll_back`. Ids that a
/// transaction took are not given out again, as on a real site.
///
/// Threads: none of its own; the site's lock guards it.
class EntityStore {
public:
    using Rows = std::map<Id, Record>;

    explicit EntityStore(Schema schema = Schema::built_in()) : schema_(std::move(schema)) {}
    EntityStore(const EntityStore&) = delete;  // rows point into the schema
    EntityStore& operator=(const EntityStore&) = delete;

    Schema& schema() noexcept { return schema_; }
    const Schema& schema() const noexcept { return schema_; }
    /// Call for every operation that edits the schema.
    void schema_edited() noexcept {
        if (changes_ != nullptr) changes_->schema = true;
    }

    void begin() { before_.emplace(); }
    void commit() noexcept { before_.reset(); }
    void roll_back();

    /// Puts a row in, under the next free id of its type unless `id` is given.
    Record& add(const EntityDef& def, std::map<std::string, Json, std::less<>> fields, Id id = 0);
    /// Call after a field of `record` changed: its display name may be another.
    void refresh(Record& record);
    void set_retired(Record& record, bool retired);

    /// For writing: the row counts as changed, and what it is now can be rolled back to. Whoever only looks
    /// uses the one below.
    Record* find(std::string_view type, Id id);
    const Record* find(std::string_view type, Id id) const;
    const Rows& rows(std::string_view type) const;
    /// Call `refresh` for each row that was changed through this.
    Rows& rows(std::string_view type);
    /// The types that have or had rows.
    std::vector<std::string> types() const;
    Id last_id(std::string_view type) const;
    /// Ids up to `last` are not given out any more.
    void set_last_id(const std::string& type, Id last);

    /// `changes` is told of every row that is written from now on; null ends it.
    void watch(Changes* changes) noexcept { changes_ = changes; }

    /// The rows of `type` that have such a link, or had it: every hit must be looked at. Ascending; the first
    /// call for a field looks at all rows of the type.
    const std::vector<Id>& linked_rows(std::string_view type, const LinkHint& link) const;

    /// What a link field shows: `{"type","id","name"}`, or null where the target is gone or retired.
    Json shown(const Json& link) const;

private:
    /// In a transaction: remembers the row as it is, or that there is none, once.
    void keep(const std::string& type, Id id);

    Schema schema_;
    struct Indexed {
        std::map<std::string, LinkIndex, std::less<>> fields;
        std::vector<Id> stale;  ///< rows written since somebody searched
    };
    void written(const std::string& type, Id id);

    std::unordered_map<std::string, Rows> types_;
    std::optional<std::map<std::pair<std::string, Id>, std::optional<Record>>> before_;
    std::unordered_map<std::string, Id> last_id_;
    Changes* changes_ = nullptr;
    mutable std::map<std::string, Indexed, std::less<>> indexed_;
};

/// A link's type and id; id 0 for what is no link.
struct LinkKey {
    std::string type;
    Id id = 0;
    friend bool operator==(const LinkKey&, const LinkKey&) = default;
};
LinkKey link_key(const Json& value);
Json link_to(std::string_view type, Id id);

}  // namespace sg::sandbox
