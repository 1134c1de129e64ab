#pragma once
// Filters of a `read`, as the site understands them.

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "sandbox/entity_store.hpp"
#include "sandbox/times.hpp"

namespace sg::sandbox {

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
std::optional<Path> parse_path(const EntityDef& def, std::string_view text);

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

    /// `now` is the site's clock, for relations such as `in_last`. Throws `Refusal`.
    Filter(const Json& tree, const EntityDef& def, const EntityStore& store, Seconds now);

    bool matches(const RowView& row) const { return test_(row); }
    const IdRange& ids() const noexcept { return ids_; }

private:
    Test test_;
    IdRange ids_;
};

}  // namespace sg::sandbox
