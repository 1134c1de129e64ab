#include "site/methods_rows.hpp"

#include <set>

#include "site/json_text.hpp"
#include "site/parameters.hpp"
#include "site/wire.hpp"

namespace sg::site {

using nlohmann::json;

Result<bool> revive(Client& client, std::string_view type, EntityId id, const CallOptions& options) {
    if (type.empty()) return fail(Cause::invalid, "reviving: no entity type is given");
    return as_bool(client.call("revive", {{"type", type}, {"id", id}}, Repeat::never, options));
}

namespace {

Result<json> batch_request(const json& wish) {
    if (!wish.is_object()) return fail(Cause::invalid, "is no object");
    static const std::set<std::string, std::less<>> known{
        "request_type", "entity_type", "entity_id", "data", "return_fields", "multi_entity_update_modes"};
    for (const auto& [name, value] : wish.items())
        if (!known.contains(name))
            return fail(Cause::not_supported, "'{}' is not known", printable(name, 80));
    const auto type = wish.value("entity_type", json()), what = wish.value("request_type", json());
    if (!type.is_string() || type == "") return fail(Cause::invalid, "has no entity_type");
    const auto id = wish.value("entity_id", json()), data = wish.value("data", json());
    if (what != "create" && !id.is_number_integer()) return fail(Cause::invalid, "has no entity_id");

    Result<json> out;
    if (what == "create") {
        const auto fields = wish.value("return_fields", json::array());
        std::vector<std::string> names;
        if (!fields.is_array()) return fail(Cause::invalid, "return_fields has to be a list");
        for (const auto& field : fields) {
            if (!field.is_string()) return fail(Cause::invalid, "return_fields has to hold names");
            names.push_back(field.get<std::string>());
        }
        out = create_parameters(type.get_ref<const std::string&>(), data, names);
    } else if (what == "update") {
        out = update_parameters(type.get_ref<const std::string&>(), id.get<EntityId>(), data,
                                wish.value("multi_entity_update_modes", json()));
    } else if (what == "delete") {
        out = json{{"type", type}, {"id", id}};
    } else {
        return fail(Cause::invalid, "has a request_type that is none of create, update, delete");
    }
    if (out) (*out)["request_type"] = what;
    return out;
}

}  // namespace

Result<json> batch(Client& client, const json& requests, const CallOptions& options) {
    if (!requests.is_array()) return fail(Cause::invalid, "a batch has to be a list of requests");
    json sent = json::array();
    for (const auto& wish : requests) {
        auto request = batch_request(wish);
        if (!request) return fail(std::move(request.error()), "request {} of the batch", sent.size());
        sent.push_back(std::move(*request));
    }
    if (sent.empty()) return json::array();
    auto results = client.call("batch", std::move(sent), Repeat::never, options);
    if (!results) return results;
    if (!results->is_array() || results->size() != requests.size())
        return fail(Cause::bad_answer, "the answer to a batch of {} has not as many results",
                    requests.size());
    return results;
}

namespace {

/// A list of objects, of each the members `needed` and `may`, all of them text.
Result<json> described(const json& list, const char* what, std::initializer_list<const char*> needed,
                       std::initializer_list<const char*> may) {
    if (!list.is_array()) return fail(Cause::invalid, "{} has to be a list", what);
    json out = json::array();
    for (const auto& each : list) {
        json one = json::object();
        const auto take = [&](const char* name) {
            if (!each.is_object() || !each.contains(name)) return false;
            return (one[name] = each[name]).is_string();
        };
        for (const char* name : needed)
            if (!take(name)) return fail(Cause::invalid, "{} has to hold objects with a {}", what, name);
        for (const char* name : may)
            if (each.contains(name) && !take(name))
                return fail(Cause::invalid, "the {} of {} has to be text", name, what);
        if (one.size() != each.size())
            return fail(Cause::not_supported, "{} holds an object with a member that is not known", what);
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

Result<json> summarize(Client& client, const SummarizeRequest& request, const CallOptions& options) {
    const auto tried = [&](Failure why) {
        return fail(std::move(why), "summarizing {}", printable(request.type, 80));
    };
    if (request.type.empty()) return tried({Cause::invalid, "no entity type is given", 0, 0, {}});
    auto filters = to_wire_filters(request.filters, request.filter_operator);
    if (!filters) return tried(std::move(filters.error()));
    auto summaries = described(request.summaries, "summaries", {"field", "type"}, {});
    if (!summaries) return tried(std::move(summaries.error()));
    if (summaries->empty()) return tried({Cause::invalid, "there is nothing to sum up", 0, 0, {}});
    std::set<std::string> fields;
    for (const auto& each : *summaries)
        if (!fields.insert(each["field"].get<std::string>()).second)
            return tried({Cause::invalid, "two summaries of one field would overwrite each other", 0, 0, {}});
    if (filters->matches_nothing) {
        // The site says what the sum of nothing is, which depends on the kind of summary.
        const json never{{"path", "id"}, {"relation", "is"}, {"values", json::array({nullptr})}};
        filters->tree = json{{"logical_operator", "and"}, {"conditions", json::array({never})}};
    }
    json parameters{{"type", request.type}, {"summaries", *summaries}, {"filters", filters->tree}};
    if (!request.grouping.is_null()) {
        auto grouping = described(request.grouping, "grouping", {"field", "type"}, {"direction"});
        if (!grouping) return tried(std::move(grouping.error()));
        if (!grouping->empty()) parameters["grouping"] = std::move(*grouping);
    }
    if (!request.include_archived_projects) {
        if (auto fine = client.require(gates::archived_projects, options); !fine) return tried(fine.error());
        parameters["include_archived_projects"] = false;
    }
    auto sums = client.call("summarize", std::move(parameters), Repeat::harmless, options);
    if (!sums) return tried(std::move(sums.error()));
    if (!sums->is_object()) return tried({Cause::bad_answer, "the answer is no object", 0, 0, {}});
    return sums;
}

Result<json> text_search(Client& client, std::string_view text, const json& entity_types,
                         const json& project_ids, const json& max_results, const CallOptions& options) {
    if (!entity_types.is_object() || entity_types.empty())
        return fail(Cause::invalid, "entity_types has to map types to filters");
    if (!project_ids.is_array()) return fail(Cause::invalid, "project_ids has to be a list");
    if (!max_results.is_null() && !max_results.is_number_integer())
        return fail(Cause::invalid, "max_results has to be an integer");
    json types = json::object();
    for (const auto& [type, filters] : entity_types.items()) {
        auto wire = to_wire_filters(filters, "");
        if (!wire) return fail(std::move(wire.error()), "of {}", printable(type, 80));
        if (!wire->matches_nothing) types[type] = std::move(wire->tree);
    }
    if (types.empty()) return json{{"matches", json::array()}, {"terms", json::array()}};
    if (auto fine = client.require(gates::search_and_streams, options); !fine)
        return tl::unexpected(fine.error());
    return client.call("query_display_name_cache",
                       {{"text", text},
                        {"entity_types", std::move(types)},
                        {"project_ids", project_ids},
                        {"max_results", max_results}},
                       Repeat::harmless, options);
}

}  // namespace sg::site
