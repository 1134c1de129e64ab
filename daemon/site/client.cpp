#include "site/client.hpp"

#include <curl/curl.h>
#include <algorithm>

#include "site/calls.hpp"
#include "site/json_text.hpp"
#include "site/logins.hpp"
#include "site/methods_people.hpp"
#include "site/wire.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

/// A type in a message; it may be anything.
std::string named(std::string_view type) { return printable(type, 80); }

}  // namespace

Result<std::unique_ptr<Client>> Client::make(Settings settings, Clock& clock, Logger& log) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) return fail(Cause::internal, "the HTTP library does not start");

    Route route;
    auto endpoint = Endpoint::from_base_url(settings.base_url);
    if (!endpoint) return tl::unexpected(std::move(endpoint.error()));
    route.endpoint = std::move(*endpoint);
    if (!settings.proxy.empty()) {
        auto proxy = Proxy::parse(settings.proxy);
        if (!proxy) return tl::unexpected(std::move(proxy.error()));
        route.proxy = std::move(*proxy);
    }
    if (settings.page_size < 1) return fail(Cause::invalid, "the page size has to be at least 1");
    route.proxy_from_environment = settings.proxy_from_environment;
    route.ca_file = settings.ca_file;
    route.limits = settings.limits;
    return std::unique_ptr<Client>(
        new Client(std::make_unique<Calls>(std::move(settings), std::move(route), clock, log)));
}

Client::Client(std::unique_ptr<Calls> calls)
    : calls_(std::move(calls)), logins_(std::make_unique<Logins>()) {}
Client::~Client() = default;

Result<Credential> Client::logged_in(const CallOptions& options) {
    const auto* user = std::get_if<User>(&options.credential);
    if (user == nullptr || user->auth_token.empty()) return options.credential;
    auto own = options;  // whoever logs in does so as themselves
    own.sudo_as_login.clear();
    own.session_uuid.clear();
    auto session = logins_->session_of(*user, options.stop, [&] { return log_in(*this, *user, own); });
    if (!session) return tl::unexpected(std::move(session.error()));
    return Credential(std::move(*session));
}

Result<json> Client::info(const CallOptions& options) { return calls_->call_as_nobody("info", options); }

Result<Version> Client::version(const CallOptions& options) { return calls_->version(options); }

Result<void> Client::require(const Gate& gate, const CallOptions& options) {
    const auto site = calls_->version(options);
    if (!site) return tl::unexpected(site.error());
    return check_gate(gate, *site);
}

Result<json> Client::call(std::string_view method, json parameters, Repeat repeat,
                          const CallOptions& options) {
    return calls_->call(method, std::move(parameters), repeat, options);
}

Result<std::string> Client::call_text(std::string_view method, json parameters, Repeat repeat,
                                      const CallOptions& options) {
    return calls_->call_text(method, std::move(parameters), repeat, options);
}

Result<void> Client::check_query(const Query& query, const CallOptions& options) {
    if (!query.include_archived_projects)
        if (auto fine = require(gates::archived_projects, options); !fine) return fine;
    if (!query.additional_filter_presets.is_null()) return require(gates::filter_presets, options);
    return {};
}

Result<RawAnswer> Client::read_raw(const ReadRequest& request, const CallOptions& options) {
    auto filters = to_wire_filters(request.query.filters, request.query.filter_operator);
    if (!filters) return fail(std::move(filters.error()), "reading {}", named(request.query.type));
    if (filters->matches_nothing) return RawAnswer{R"({"results":{"entities":[]}})", {}};
    if (auto fine = check_query(request.query, options); !fine)
        return fail(std::move(fine.error()), "reading {}", named(request.query.type));
    auto parameters = read_parameters(request, std::move(filters->tree), calls_->known_version());
    if (!parameters) return fail(std::move(parameters.error()), "reading {}", named(request.query.type));
    return calls_->call_raw("read", std::move(*parameters), Repeat::harmless, options);
}

namespace {

/// One page on its way to the caller.
struct Page {
    json rows;
    bool last = false;
};

/// Whether there is more is told in one of two ways, by age of the site, or not at all.
bool is_last(const json& results, std::size_t on_page, std::size_t so_far, std::int64_t page_size) {
    if (on_page == 0) return true;
    if (const auto info = results.find("paging_info"); info != results.end() && info->is_object()) {
        const auto more = info->find("has_next_page"), count = info->find("entity_count");
        if (more != info->end() && more->is_boolean()) return !more->get<bool>();
        if (count != info->end() && count->is_number_integer()) return *count <= so_far;
    }
    return on_page < static_cast<std::size_t>(page_size);
}

Result<Page> read_page(json results, std::size_t so_far, std::int64_t page_size) {
    if (!results.is_object()) return fail(Cause::bad_answer, "the results of a read are no object");
    Page page;
    page.rows = json::array();
    if (const auto rows = results.find("entities"); rows != results.end() && !rows->is_null())
        page.rows = std::move(*rows);
    if (!page.rows.is_array()) return fail(Cause::bad_answer, "the rows of a read are no list");
    page.last = is_last(results, page.rows.size(), so_far + page.rows.size(), page_size);
    return page;
}

}  // namespace

Result<json> Client::find(const FindRequest& request, const CallOptions& options) {
    const auto tried = [&](Failure why) {
        return fail(std::move(why), "finding {}", named(request.query.type));
    };
    if (request.limit < 0 || request.page < 0)
        return tried({Cause::invalid, "limit and page have to be 0 or more", 0, 0, {}});
    auto filters = to_wire_filters(request.query.filters, request.query.filter_operator);
    if (!filters) return tried(std::move(filters.error()));
    if (filters->matches_nothing) return json::array();

    if (auto fine = check_query(request.query, options); !fine) return tried(std::move(fine.error()));

    const auto& settings = calls_->settings();
    const bool fits = request.limit > 0 && request.limit <= settings.page_size;
    const bool paged = !fits && request.page == 0;
    ReadRequest read{request.query, fits ? request.limit : settings.page_size,
                     std::max<std::int64_t>(1, request.page), paged};
    json all = json::array();
    for (std::size_t bytes = 0;; ++read.page) {
        auto parameters = read_parameters(read, filters->tree, calls_->known_version());
        if (!parameters) return tried(std::move(parameters.error()));
        std::size_t answer_bytes = 0;
        auto results = calls_->call("read", std::move(*parameters), Repeat::harmless, options, &answer_bytes);
        if (!results) return tried(std::move(results.error()));
        auto page = read_page(std::move(*results), all.size(), read.page_size);
        if (!page) return tried(std::move(page.error()));
        bytes += answer_bytes;
        if (bytes > settings.limits.rows_bytes)
            return tried({Cause::invalid,
                          fmt::format("more than {} bytes of rows; ask for fewer at a time", bytes),
                          0,
                          0,
                          {}});
        for (auto& row : page->rows) all.push_back(std::move(row));
        const bool enough = request.limit > 0 && all.size() >= static_cast<std::size_t>(request.limit);
        if (enough && paged) all.erase(all.begin() + request.limit, all.end());
        if (!paged || enough || page->last) return all;
    }
}

Result<json> Client::find_one(const Query& query, const CallOptions& options) {
    auto rows = find({query, 1, 0}, options);
    if (!rows) return rows;
    return rows->empty() ? json() : json(std::move(rows->front()));
}

Result<json> Client::create(std::string_view type, const json& data, const std::vector<std::string>& fields,
                            const CallOptions& options) {
    auto parameters = create_parameters(type, data, fields);
    if (!parameters) return fail(std::move(parameters.error()), "creating a {}", named(type));
    auto row = calls_->call("create", std::move(*parameters), Repeat::never, options);
    if (!row) return fail(std::move(row.error()), "creating a {}", named(type));
    if (row->is_array() && !row->empty()) return json(std::move(row->front()));
    return row;
}

Result<json> Client::update(std::string_view type, EntityId id, const json& data,
                            const json& multi_entity_modes, const CallOptions& options) {
    auto parameters = update_parameters(type, id, data, multi_entity_modes);
    if (!parameters) return fail(std::move(parameters.error()), "updating {} {}", named(type), id);
    if (data.empty()) return json{{"type", type}, {"id", id}};
    auto row = calls_->call("update", std::move(*parameters), Repeat::never, options);
    if (!row) return fail(std::move(row.error()), "updating {} {}", named(type), id);
    return row;
}

Result<bool> Client::remove(std::string_view type, EntityId id, const CallOptions& options) {
    if (type.empty()) return fail(Cause::invalid, "deleting: no entity type is given");
    auto done = calls_->call("delete", {{"type", type}, {"id", id}}, Repeat::never, options);
    if (!done) return fail(std::move(done.error()), "deleting {} {}", named(type), id);
    if (!done->is_boolean())
        return fail(Cause::bad_answer, "deleting {} {}: the answer is neither true nor false", named(type),
                    id);
    return done->get<bool>();
}

}  // namespace sg::site
