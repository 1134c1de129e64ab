#include "sandbox/filter.hpp"

#include <algorithm>

#include "sandbox/filter_from.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/relations.hpp"

namespace sg::sandbox {
namespace {

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

void keep_only(IdRange& range, std::vector<Id> ids) {
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (range.only) {
        std::vector<Id> both;
        std::ranges::set_intersection(ids, *range.only, std::back_inserter(both));
        ids = std::move(both);
    }
    range.only = std::move(ids);
}

void narrow(IdRange& range, const std::string& relation, const Json& values) {
    const auto id = [&](std::size_t i) { return values.at(i).get<Id>(); };
    const auto at_least = [&](Id low) { range.lowest = std::max(range.lowest, low); };
    const auto at_most = [&](Id high) { range.highest = std::min(range.highest, high); };
    constexpr auto first = std::numeric_limits<Id>::min(), last = std::numeric_limits<Id>::max();
    if (!std::ranges::all_of(values, [](const Json& v) { return v.is_number_integer(); }) || values.empty()) {
        range.exact = false;
    } else if (relation == "greater_than" && id(0) < last) {
        at_least(id(0) + 1);
    } else if (relation == "less_than" && id(0) > first) {
        at_most(id(0) - 1);
    } else if (relation == "between") {
        at_least(std::min(id(0), id(1)));
        at_most(std::max(id(0), id(1)));
    } else if (relation == "is" || relation == "in") {
        keep_only(range, values.get<std::vector<Id>>());
    } else {
        range.exact = false;
    }
}

/// Of an "or": what matches has an id that one of the parts lets through. Where these are few, they are all
/// that is looked at; a daemon asks for many missing ids at once.
void narrow_to_any(IdRange& range, const std::vector<IdRange>& parts) {
    constexpr std::size_t most = 10'000;
    std::vector<Id> ids;
    for (const auto& part : parts) {
        if (part.only) {
            ids.insert(ids.end(), part.only->begin(), part.only->end());
        } else {
            if (part.lowest < 0 || part.highest - part.lowest >= static_cast<Id>(most)) return;
            for (Id id = part.lowest; id <= part.highest; ++id) ids.push_back(id);
        }
        if (ids.size() > most) return;
    }
    keep_only(range, std::move(ids));
}

class Compiler {
public:
    Compiler(const EntityDef& def, const Scope& scope) : def_(def), scope_(scope) {}

    /// `range` is narrowed to the ids that what matches can have.
    Filter::Test group(const Json& tree, IdRange* range) {
        const auto &op = member(tree, "logical_operator"), &conditions = member(tree, "conditions");
        if (op.is_null())
            refuse(fault_invalid, "API {}() Missing logical operator: {}", scope_.method, tree.dump());
        if (op != "and" && op != "or")
            refuse(fault_invalid, "API {}() Invalid logical operator: {}", scope_.method,
                   op.is_string() ? op.get<std::string>() : op.dump());
        if (!conditions.is_array())
            refuse(fault_invalid, "API {}() Missing conditions parameter: {}", scope_.method, tree.dump());
        if (++depth_ > deepest)
            refuse(fault_invalid, "API {}() the groups of the filter are nested too deep", scope_.method);
        const bool all = op == "and";
        const bool any = !all && !conditions.empty();  // an "or" of nothing lets everything through
        std::vector<Filter::Test> tests;
        std::vector<IdRange> parts(any ? conditions.size() : 0);
        for (const auto& condition : conditions) {
            auto* narrowed = range != nullptr && any ? &parts[tests.size()] : range;
            tests.push_back(condition.is_object() && (condition.contains("conditions") ||
                                                      condition.contains("logical_operator"))
                                ? group(condition, narrowed)
                                : leaf(condition, narrowed));
        }
        if (range != nullptr && any) {
            range->exact = false;
            narrow_to_any(*range, parts);
        }
        --depth_;
        return [tests = std::move(tests), all](const RowView& row) {
            const auto holds = [&](const Filter::Test& test) { return test(row); };
            return all || tests.empty() ? std::ranges::all_of(tests, holds)
                                        : std::ranges::any_of(tests, holds);
        };
    }

private:
    Filter::Test leaf(const Json& condition, IdRange* range) {
        const auto &text = member(condition, "path"), &relation = member(condition, "relation");
        auto values = member(condition, "values");
        if (!text.is_string() || !relation.is_string())
            refuse(fault_invalid, "API {}() invalid/missing 'path' or 'relation': {}", scope_.method,
                   condition.dump());
        if (!values.is_array()) values = Json::array({values});
        const auto name = text.get<std::string>();
        if (name.starts_with(from_mark)) {
            if (range != nullptr) range->exact = false;
            return from_test(name, relation.get<std::string>(), values, def_, scope_);
        }
        auto path = parse_path(scope_.schema(), def_, name);
        if (!path)
            refuse(fault_invalid, "API {}() {}.{} doesn't exist:\n{}", scope_.method, def_.type, name,
                   condition.dump());
        auto judged = [&] {
            try {
                return relation_for(path->leaf(), def_.type + "." + name, relation.get<std::string>(), values,
                                    scope_.store, scope_.time);
            } catch (const Refusal& why) {
                throw Refusal(why.code, fmt::format("API {}() {}", scope_.method, why.what()));
            }
        }();
        if (range != nullptr) {
            if (name == "id")
                narrow(*range, relation.get<std::string>(), values);
            else
                range->exact = false;
        }
        if (!path->possible) return [](const RowView&) { return false; };
        return
            [path = std::move(*path), judged = std::move(judged), &store = scope_.store](const RowView& row) {
                const auto found = values_at(path, row, store);
                if (found.empty()) return judged.test(Json());
                // Through a multi link a negative relation must hold for every element.
                return judged.negative ? std::ranges::all_of(found, judged.test)
                                       : std::ranges::any_of(found, judged.test);
            };
    }

    static constexpr int deepest = 265;

    const EntityDef& def_;
    const Scope& scope_;
    int depth_ = 0;
};

void walk(const Path& path, std::size_t hop, const RowView& row, const EntityStore& store,
          std::vector<Json>& out) {
    auto value = row.value(path.hops[hop].field->name);
    const auto* through = path.hops[hop].through;
    if (through == nullptr) {
        out.push_back(std::move(value));
        return;
    }
    const auto step = [&](const Json& link) {
        const auto key = link_key(link);
        const auto* target = key.type == through->type ? store.find(key.type, key.id) : nullptr;
        if (target != nullptr && !target->retired)
            walk(path, hop + 1, RecordView(*target, store), store, out);
    };
    if (value.is_array())
        std::ranges::for_each(value, step);
    else
        step(value);
}

}  // namespace

const Json& member(const Json& object, const char* key) {
    static const Json null;
    if (!object.is_object()) return null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
}

Json RecordView::value(std::string_view field) const {
    if (field == "id") return record_.id;
    if (field == "cached_display_name") return record_.name();
    const auto* def = record_.def->field(field);
    const auto& stored = record_.value(field);
    if (def != nullptr && def->type == DataType::password) return stored.is_null() ? stored : Json("*******");
    if (def == nullptr || (def->type != DataType::entity && !holds_links(def->type))) return stored;
    const auto live = [&](const Json& link) {
        const auto key = link_key(link);
        const auto* target = store_.find(key.type, key.id);
        return target != nullptr && !target->retired;
    };
    if (def->type == DataType::entity) return live(stored) ? stored : Json();
    auto out = Json::array();
    for (const auto& link : stored)
        if (live(link)) out.push_back(link);
    return out;
}

std::optional<Path> parse_path(const Schema& schema, const EntityDef& def, std::string_view text) {
    const auto parts = split(text);
    if (parts.size() % 2 == 0) return std::nullopt;
    Path path;
    const auto* at = &def;
    for (std::size_t i = 0;; i += 2) {
        const auto* field = at->field(parts[i]);
        if (field == nullptr) return std::nullopt;
        if (i + 1 == parts.size()) {
            path.hops.push_back({field, nullptr});
            return path;
        }
        const auto* through = schema.find(parts[i + 1]);
        if (through == nullptr) return std::nullopt;
        const bool is_link = field->type == DataType::entity || holds_links(field->type);
        const auto& targets = field->targets;
        if (!is_link || (!targets.empty() && std::ranges::find(targets, through->type) == targets.end()))
            path.possible = false;
        path.hops.push_back({field, through});
        at = through;
    }
}

std::vector<Json> values_at(const Path& path, const RowView& row, const EntityStore& store) {
    std::vector<Json> out;
    if (path.possible) walk(path, 0, row, store, out);
    return out;
}

Filter::Filter(const Json& tree, const EntityDef& def, const Scope& scope) {
    ids_.exact = true;
    static const Json everything{{"logical_operator", "and"}, {"conditions", Json::array()}};
    test_ = Compiler(def, scope).group(tree.is_null() ? everything : tree, &ids_);
    if (!ids_.only) return;
    std::erase_if(*ids_.only, [&](Id id) { return id < ids_.lowest || id > ids_.highest; });
}

}  // namespace sg::sandbox
