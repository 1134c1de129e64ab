#pragma once
// The rows of every type but the event log.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

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

    void begin() { before_.emplace(); }
    void commit() noexcept { before_.reset(); }
    void roll_back();

    /// Puts a row in, under the next free id of its type unless `id` is given.
    Record& add(const EntityDef& def, std::map<std::string, Json, std::less<>> fields, Id id = 0);
    /// Call after a field of `record` changed: its display name may be another.
    void refresh(Record& record);
    void set_retired(Record& record, bool retired);

    /// For writing: what the row is now can be rolled back to. Whoever only looks uses the one below.
    Record* find(std::string_view type, Id id);
    const Record* find(std::string_view type, Id id) const;
    const Rows& rows(std::string_view type) const;
    Rows& rows(std::string_view type);

    /// What a link field shows: `{"type","id","name"}`, or null where the target is gone or retired.
    Json shown(const Json& link) const;

private:
    /// In a transaction: remembers the row as it is, or that there is none, once.
    void keep(const std::string& type, Id id);

    Schema schema_;
    std::unordered_map<std::string, Rows> types_;
    std::optional<std::map<std::pair<std::string, Id>, std::optional<Record>>> before_;
    std::unordered_map<std::string, Id> last_id_;
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
