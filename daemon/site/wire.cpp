#include "site/wire.hpp"

#include <algorithm>

#include "site/json_text.hpp"

namespace sg::site {
namespace {

using nlohmann::json;

/// Of text that may be a whole page; what becomes of it for a message is the caller's business.
constexpr std::size_t most_text = 10'000;

/// As Python judges it: what a site could put there to say yes.
bool truthy(const json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value != 0;
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return value.is_structured() && !value.empty();
}

Result<void> fault_of(const json& document) {
    if (!document.is_object()) return {};
    const auto exception = document.find("exception");
    if (exception == document.end() || !truthy(*exception)) return {};
    Failure fault{Cause::bad_request, "Unknown Error", 0, 200, {}};
    if (const auto message = document.find("message"); message != document.end() && message->is_string())
        fault.message = message->get_ref<const std::string&>().substr(0, most_text);
    if (const auto code = document.find("error_code");
        code != document.end() && code->is_number_integer() && *code >= 0 && *code <= 1'000'000)
        fault.site_code = code->get<int>();
    if (fault.site_code == 102 || fault.site_code == 106 || fault.site_code == 108 || fault.site_code == 110)
        fault.cause = Cause::authentication;
    fault.message = "the site refused: " + fault.message;
    if (fault.site_code != 0) fault.message += fmt::format(" (error code {})", fault.site_code);
    return tl::unexpected(std::move(fault));
}

Cause cause_of_status(int status) {
    switch (status) {
        case 401:
            return Cause::authentication;
        case 403:
            return Cause::permission;
        case 408:
            return Cause::timed_out;
        case 429:
        case 502:
        case 503:
        case 504:
            return Cause::busy;
        default:
            // Other faults of the server pass or do not; what it says of the request stands.
            return status >= 500 ? Cause::bad_answer : Cause::bad_request;
    }
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
               return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
           });
}

Result<json> sorts(const json& order) {
    if (!order.is_array()) return fail(Cause::invalid, "order has to be a list");
    json out = json::array();
    for (const auto& each : order) {
        if (!each.is_object()) return fail(Cause::invalid, "order has to hold objects with a field_name");
        const auto name = each.contains("field_name") ? each.find("field_name") : each.find("column");
        if (name == each.end() || !name->is_string())
            return fail(Cause::invalid, "order has to hold objects with a field_name");
        const auto direction = each.find("direction");
        if (direction != each.end() && *direction != "asc" && *direction != "desc")
            return fail(Cause::invalid, "the direction of an order has to be asc or desc");
        out.push_back({{"field_name", *name}, {"direction", direction == each.end() ? "asc" : *direction}});
    }
    return out;
}

json fields_or_id(const std::vector<std::string>& fields) {
    return fields.empty() ? json::array({"id"}) : json(fields);
}

Result<void> check_type_and_data(std::string_view type, const json& data) {
    if (type.empty()) return fail(Cause::invalid, "no entity type is given");
    if (!data.is_object()) return fail(Cause::invalid, "data has to be an object of fields and values");
    return {};
}

tl::unexpected<Failure> no_uploads(std::string_view field) {
    return fail(Cause::not_supported, "setting '{}' is an upload, which is not supported yet", field);
}

}  // namespace

Result<json> read_parameters(const ReadRequest& request, json filters, const std::optional<Version>& site) {
    const auto& query = request.query;
    if (query.type.empty()) return fail(Cause::invalid, "no entity type is given");
    if (request.page < 1 || request.page_size < 1)
        return fail(Cause::invalid, "page and page size have to be at least 1");
    auto order = sorts(query.order);
    if (!order) return order;
    json out{
        {"type", query.type},
        {"return_fields", fields_or_id(query.fields)},
        {"filters", std::move(filters)},
        {"return_only", query.retired_only ? "retired" : "active"},
        {"paging", {{"entities_per_page", request.page_size}, {"current_page", request.page}}},
    };
    const auto knows = [&](const Gate& gate) { return !site || *site >= gate.since; };
    if (knows(gates::image_urls)) out["api_return_image_urls"] = true;
    out[knows(gates::paging_without_counts) ? "return_paging_info_without_counts" : "return_paging_info"] =
        request.paging_info;
    if (!query.additional_filter_presets.is_null())
        out["additional_filter_presets"] = query.additional_filter_presets;
    if (!query.include_archived_projects) out["include_archived_projects"] = false;
    if (!order->empty()) out["sorts"] = std::move(*order);
    return out;
}

Result<json> create_parameters(std::string_view type, const json& data,
                               const std::vector<std::string>& fields) {
    if (auto fine = check_type_and_data(type, data); !fine) return tl::unexpected(fine.error());
    json values = json::array();
    for (const auto& [field, value] : data.items()) {
        if (field == "image" || field == "filmstrip_image") {
            if (!value.is_null()) return no_uploads(field);
            continue;  // a new row has none anyway, and the site would refuse to hear it
        }
        values.push_back({{"field_name", field}, {"value", value}});
    }
    return json{{"type", type}, {"fields", std::move(values)}, {"return_fields", fields_or_id(fields)}};
}

Result<json> update_parameters(std::string_view type, EntityId id, const json& data,
                               const json& multi_entity_modes) {
    if (auto fine = check_type_and_data(type, data); !fine) return tl::unexpected(fine.error());
    if (!multi_entity_modes.is_null() && !multi_entity_modes.is_object())
        return fail(Cause::invalid, "multi_entity_update_modes has to be an object");
    json values = json::array();
    for (const auto& [field, value] : data.items()) {
        if ((field == "image" || field == "filmstrip_image") && !value.is_null()) return no_uploads(field);
        json sent = trimmed(value);
        if (sent.is_array())
            for (auto& element : sent) element = trimmed(element);
        json entry{{"field_name", field}, {"value", std::move(sent)}};
        if (multi_entity_modes.is_object() && multi_entity_modes.contains(field)) {
            const auto& mode = multi_entity_modes[field];
            if (mode != "add" && mode != "remove" && mode != "set")
                return fail(Cause::invalid, "the update mode of '{}' has to be add, remove or set",
                            printable(field, 100));
            entry["multi_entity_update_mode"] = mode;
        }
        values.push_back(std::move(entry));
    }
    return json{{"type", type}, {"id", id}, {"fields", std::move(values)}};
}

Result<json> auth_block(const CallOptions& options, const Version& site) {
    json auth = json::object();
    if (const auto* user = std::get_if<User>(&options.credential)) {
        auth["user_login"] = user->login;
        auth["user_password"] = user->password;
        if (!user->auth_token.empty()) auth["auth_token"] = user->auth_token;
    } else if (const auto* script = std::get_if<Script>(&options.credential)) {
        auth["script_name"] = script->name;
        auth["script_key"] = script->key;
    } else if (const auto* session = std::get_if<Session>(&options.credential)) {
        auth["session_token"] = session->token;
        if (site >= gates::reject_if_expired.since) auth["reject_if_expired"] = true;
    }
    if (!options.session_uuid.empty()) auth["session_uuid"] = options.session_uuid;
    if (!options.sudo_as_login.empty()) auth["sudo_as_login"] = options.sudo_as_login;
    if (options.extra_auth.is_null()) return auth;
    if (!options.extra_auth.is_object())
        return fail(Cause::invalid, "extra authentication parameters have to be an object");
    auth.update(options.extra_auth);
    return auth;
}

Result<std::string> envelope(std::string_view method, json auth, json parameters) {
    json params = json::array();
    if (!auth.is_null()) params.push_back(std::move(auth));
    if (!parameters.is_null()) params.push_back(std::move(parameters));
    return write_json({{"method_name", method}, {"params", std::move(params)}});
}

bool is_json(const HttpAnswer& answer) {
    const auto& type = answer.content_type;
    return type.empty() || starts_with_ignoring_case(type, "application/json") ||
           starts_with_ignoring_case(type, "text/javascript");
}

Result<void> check_status(const HttpAnswer& answer) {
    if (answer.status >= 200 && answer.status < 300) return {};
    Failure failure{cause_of_status(answer.status), "", 0, answer.status, answer.retry_after};
    failure.message = fmt::format("the site answered with HTTP status {}", answer.status);
    // A site that blocks the API says why on a page; others say nothing of use.
    if (answer.status == 403 && !answer.body.empty())
        failure.message += ": " + answer.body.substr(0, most_text);
    return tl::unexpected(std::move(failure));
}

Result<void> check_http(const HttpAnswer& answer, Expect expect) {
    if (auto fine = check_status(answer); !fine) return fine;
    if (expect == Expect::anything && !is_json(answer)) return {};
    Failure failure{Cause::bad_answer, "", 0, answer.status, {}};
    if (!is_json(answer))
        failure.message = fmt::format("the answer is no JSON but '{}'", printable(answer.content_type, 100));
    else if (answer.body.empty())
        failure.message = "the answer is empty";
    else
        return {};
    return tl::unexpected(std::move(failure));
}

Result<json> read_results(std::string_view body) {
    auto document = read_json(body);
    if (!document) {
        document.error().http_status = 200;
        return document;
    }
    if (auto fine = fault_of(*document); !fine) return tl::unexpected(std::move(fine.error()));
    if (document->is_object())
        if (const auto results = document->find("results"); results != document->end())
            return json(std::move(*results));
    return document;
}

Result<void> check_fault(std::string_view body) {
    auto rest = body;
    const auto skip_blanks = [&] {
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    };
    skip_blanks();
    if (rest.starts_with('{')) {
        rest.remove_prefix(1);
        skip_blanks();
        if (rest.starts_with("\"results\"")) return {};
    }
    auto results = read_results(body);
    if (!results) return tl::unexpected(std::move(results.error()));
    return {};
}

}  // namespace sg::site
