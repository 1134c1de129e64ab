#pragma once
// Filters of a `read`, as the site understands them.

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "sandbox/event_log.hpp"
#include "sandbox/time_zone.hpp"

namespace sg::sandbox {

/// A member of an object; null where there is none, or no object.
const Json& member(const Json& object, const char* key);

/// What a query looks at, and how its faults name the method.
struct Scope {
    const EntityStore& store;
    const EventLog& log;
    SiteTime time;
    std::string_view method = "read";

    const Schema& schema() const noexcept { return store.schema(); }
};

/// Where a filter, a sort or a dotted path gets the values of one row.
class RowView {
public:
    virtual ~RowView() = default;
    /// The value of a field; links without names, and null where their target is retired.
    virtual Json value(std::string_view field) const = 0;
};

class RecordView final : public RowView {
public:
    RecordView(const Record& record, const EntityStore& store) : record_(record), store_(store) {}
    Json value(std::string_view field) const override;

private:
    const Record& record_;
    const EntityStore& store_;
};

class EventView final : public RowView {
public:
    EventView(const EventRow& row, const EntityStore& store) : row_(row), store_(store) {}
    Json value(std::string_view field) const override { return event_value(row_, field, store_); }

private:
    const EventRow& row_;
    const EntityStore& store_;
};

/// A dotted path taken apart: `entity.Shot.code` is two hops.
struct Path {
    struct Hop {
        const FieldDef* field = nullptr;
        const EntityDef* through = nullptr;  ///< the type the path names behind the field; null at the end
    };
    std::vector<Hop> hops;
    bool possible = true;  ///< false: the path names a type that the field never links to

    const FieldDef& leaf() const { return *hops.back().field; }
};

/// nullopt where a type or a field of the path is unknown.
std::optional<Path> parse_path(const Schema& schema, const EntityDef& def, std::string_view text);

/// All values at the end of `path`: one, unless it runs through a multi link. Empty where a link is
/// null or names another type.
std::vector<Json> values_at(const Path& path, const RowView& row, const EntityStore& store);

/// The ids that rows matching a filter can have, as far as its `id` conditions say.
struct IdRange {
    Id lowest = std::numeric_limits<Id>::min();
    Id highest = std::numeric_limits<Id>::max();
    std::optional<std::vector<Id>> only;  ///< ascending, within the bounds
    bool exact = false;                   ///< true: the filter says nothing else
};

/// A filter tree, checked when it is made: what the site would refuse, or what the sandbox does not
/// know, is refused then, by name.
///
/// Threads: immutable; `matches` reads the store, under the site's lock.
class Filter {
public:
    using Test = std::function<bool(const RowView&)>;

    /// `tree` is the wire form; null matches everything. Throws `Refusal`.
    Filter(const Json& tree, const EntityDef& def, const Scope& scope);

    bool matches(const RowView& row) const { return test_(row); }
    const IdRange& ids() const noexcept { return ids_; }

private:
    Test test_;
    IdRange ids_;
};

}  // namespace sg::sandbox
