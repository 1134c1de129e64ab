#include "sandbox/read.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "sandbox/presets.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

struct SortKey {
    Path path;
    bool descending = false;
};

struct Query {
    const EntityDef* def = nullptr;
    std::vector<std::string> return_fields;
    std::vector<SortKey> sorts;
    bool by_id = true;  ///< no other order was asked for
    bool newest_first = false;
    bool retired = false;
    bool archived_too = true;
    std::optional<std::set<Id>> preset;  ///< the ids that the presets leave; unset: there are none
    std::size_t page_size = 500;
    std::size_t page = 1;
    bool want_next = false, want_counts = false;

    std::size_t skip() const { return (page - 1) * page_size; }
};

std::size_t paging_number(const Json& params, const char* key, std::size_t otherwise) {
    const auto paging = params.find("paging");
    if (paging == params.end() || paging->is_null()) return otherwise;
    const auto found = paging->find(key);
    if (found == paging->end()) return otherwise;
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1)
        refuse(fault_invalid, "API read() invalid/missing integer 'paging' '{}':\n{}", key, paging->dump());
    return found->get<std::size_t>();
}

bool flag(const Json& params, const char* key, bool otherwise) {
    const auto found = params.find(key);
    return found != params.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

bool has_order(DataType type) {
    return type != DataType::url && type != DataType::serializable && type != DataType::summary;
}

void read_sorts(const Json& params, const Schema& schema, Query& query) {
    const auto sorts = params.find("sorts");
    if (sorts == params.end() || !sorts->is_array()) return;
    for (const auto& sort : *sorts) {
        const auto name =
            sort.is_object() ? sort.value("field_name", sort.value("column", std::string())) : "";
        auto path = parse_path(schema, *query.def, name);
        // An unknown field, or one without an order, is passed over in silence.
        if (!path || !has_order(path->leaf().type)) continue;
        query.sorts.push_back({std::move(*path), sort.value("direction", std::string("asc")) == "desc"});
        if (name == "id") break;  // nothing after it can make a difference
    }
    if (query.sorts.empty()) return;
    const auto& first = query.sorts.front();
    query.by_id = first.path.hops.size() == 1 && first.path.leaf().name == "id";
    query.newest_first = query.by_id && first.descending;
}

Query parse(const Json& params, const Scope& scope) {
    Query query;
    const auto type = params.value("type", std::string());
    query.def = scope.schema().find(type);
    if (query.def == nullptr) refuse(fault_invalid, "API read() Entity type '{}' doesn't exist.", type);
    if (const auto fields = params.find("return_fields"); fields != params.end() && fields->is_array())
        for (const auto& field : *fields)
            if (field.is_string()) query.return_fields.push_back(field.get<std::string>());
    if (const auto presets = params.find("additional_filter_presets");
        presets != params.end() && !presets->is_null())
        query.preset = preset_ids(*presets, *query.def, scope);
    const auto only = params.value("return_only", std::string("active"));
    if (only != "active" && only != "retired")
        refuse(fault_invalid, "API read() 'return_only' is 'active' or 'retired': {}", only);
    query.retired = only == "retired";
    query.archived_too = flag(params, "include_archived_projects", true);
    query.page_size = paging_number(params, "entities_per_page", 500);
    query.page = paging_number(params, "current_page", 1);
    query.want_counts = flag(params, "return_paging_info", false);
    query.want_next = query.want_counts || flag(params, "return_paging_info_without_counts", false);
    read_sorts(params, scope.schema(), query);
    return query;
}

/// Collects the rows of the asked page, in the order they are offered.
template <class Row>
class Page {
public:
    explicit Page(const Query& query) : query_(query) {}

    /// False when no further row can change the answer.
    bool offer(const Row& row) {
        const auto seen = count_++;
        if (seen >= query_.skip() && rows_.size() < query_.page_size) {
            rows_.push_back(&row);
            return rows_.size() < query_.page_size || query_.want_next;
        }
        has_next_ = seen >= query_.skip();
        return !has_next_ || query_.want_counts;
    }

    std::string text(const std::function<void(std::string&, const Row&)>& write) const {
        std::string out = R"({"entities":[)";
        for (const auto* row : rows_) {
            if (out.back() != '[') out += ',';
            write(out, *row);
        }
        out += ']';
        if (query_.want_next) {
            fmt::format_to(std::back_inserter(out),
                           R"(,"paging_info":{{"current_page":{},"entities_per_page":{},)",
                           query_.want_counts && count_ == 0 ? 0 : query_.page, query_.page_size);
            if (query_.want_counts)
                fmt::format_to(std::back_inserter(out), R"("entity_count":{},"page_count":{},)", count_,
                               (count_ + query_.page_size - 1) / query_.page_size);
            fmt::format_to(std::back_inserter(out), R"("has_next_page":{}}})", has_next_);
        }
        return out += '}';
    }

private:
    const Query& query_;
    std::vector<const Row*> rows_;
    std::size_t count_ = 0;
    bool has_next_ = false;
};

template <class Row, class View, class Rows>
void run(const Rows& rows, const std::vector<Id>* candidates, const Query& query, const Filter& filter,
         const EntityStore& store, const std::function<bool(const Row&)>& visible, Page<Row>& page) {
    const auto fits = [&](const Row& row) {
        return visible(row) && (filter.ids().exact || filter.matches(View(row, store)));
    };
    if (query.by_id) {
        scan(rows, filter.ids(), candidates, query.newest_first,
             [&](const Row& row) { return !fits(row) || page.offer(row); });
        return;
    }
    std::vector<std::pair<std::vector<Json>, const Row*>> found;
    scan(rows, filter.ids(), candidates, false, [&](const Row& row) {
        if (!fits(row)) return true;
        std::vector<Json> keys;
        for (const auto& sort : query.sorts) {
            auto values = values_at(sort.path, View(row, store), store);
            keys.push_back(values.empty() ? Json() : std::move(values.front()));
        }
        found.emplace_back(std::move(keys), &row);
        return true;
    });
    std::ranges::stable_sort(found, [&](const auto& a, const auto& b) {
        for (std::size_t i = 0; i < query.sorts.size(); ++i) {
            const int order = compare(a.first[i], b.first[i]);
            if (order != 0) return query.sorts[i].descending ? order > 0 : order < 0;
        }
        return false;
    });
    for (const auto& entry : found)
        if (!page.offer(*entry.second)) break;
}

void write_record(std::string& out, const Record& record, const Query& query, const EntityStore& store) {
    const RecordView view(record, store);
    nlohmann::ordered_json row{{"type", record.def->type}, {"id", record.id}};
    for (const auto& name : query.return_fields) {
        Json value;
        if (shown_at(name, *record.def, view, store, value)) row[name] = std::move(value);
    }
    out += row.dump();
}

/// The shortest list of rows that some link of the filter leaves; nullptr if no link narrows it.
const std::vector<Id>* candidates(const Json& filters, const Query& query, const EntityStore& store,
                                  const EventLog& log) {
    const std::vector<Id>* shortest = nullptr;
    for (const auto& hint : link_hints(filters)) {
        const auto* field = query.def->field(hint.field);
        // What nobody writes may be made up when it is read.
        if (field == nullptr || field->access == Access::read_only ||
            (field->type != DataType::entity && field->type != DataType::multi_entity))
            continue;
        const auto* found = query.def->type == "EventLogEntry" ? log.linked_rows(hint)
                                                               : &store.linked_rows(query.def->type, hint);
        if (found != nullptr && (shortest == nullptr || found->size() < shortest->size())) shortest = found;
    }
    return shortest;
}

std::string read_events(const Query& query, const Filter& filter, const std::vector<Id>* among,
                        const EntityStore& store, const EventLog& log) {
    const auto visible = [&](const EventRow& row) {
        return !row.hidden && !query.retired &&
               (query.archived_too || !in_archived_project(EventView(row, store), store));
    };
    Page<EventRow> page(query);
    run<EventRow, EventView>(log.rows(), among, query, filter, store, visible, page);
    const bool plain =
        std::ranges::none_of(query.return_fields, [](const auto& f) { return f.find('.') != f.npos; });
    return page.text([&](std::string& out, const EventRow& row) {
        write_row(out, row, store, query.return_fields);
        if (plain) return;
        out.pop_back();
        for (const auto& name : query.return_fields) {
            Json value;
            if (name.find('.') != name.npos &&
                shown_at(name, *query.def, EventView(row, store), store, value))
                out += fmt::format(",{}:{}", Json(name).dump(), value.dump());
        }
        out += '}';
    });
}

}  // namespace

std::string read(const Json& params, const Scope& scope, SeesEvents sees_events) {
    const auto query = parse(params, scope);
    const auto& store = scope.store;
    const auto tree = params.find("filters");
    const Filter filter(tree == params.end() ? Json() : *tree, *query.def, scope);
    const auto* among = tree == params.end() ? nullptr : candidates(*tree, query, store, scope.log);
    if (query.def->type == "EventLogEntry") {
        // Rows that the caller may not see are absent, as if they were not there.
        static const EventLog nothing;
        return read_events(query, filter, among, store, sees_events == SeesEvents::yes ? scope.log : nothing);
    }
    const auto visible = [&](const Record& record) {
        return record.retired == query.retired && (!query.preset || query.preset->contains(record.id)) &&
               (query.archived_too || !in_archived_project(RecordView(record, store), store));
    };
    Page<Record> page(query);
    run<Record, RecordView>(store.rows(query.def->type), among, query, filter, store, visible, page);
    return page.text(
        [&](std::string& out, const Record& record) { write_record(out, record, query, store); });
}

}  // namespace sg::sandbox
