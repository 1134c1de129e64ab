#pragma once
// What goes over the wire: the body of a request, and what an answer means.
//
// Failures repeat text of the site as it came: strike out secrets before it goes anywhere.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "site/client.hpp"
#include "site/filters.hpp"
#include "site/transfer.hpp"

namespace sg::site {

/// The parameters of `read`, as a site of that version takes them; where it is not known, as those since
/// 7.4 do. Errors: `invalid`.
Result<nlohmann::json> read_parameters(const ReadRequest& request, nlohmann::json filters,
                                       const std::optional<Version>& site = {});

/// The parameters of `create`. Errors: `invalid`; `not_supported` for an image, which is an upload.
Result<nlohmann::json> create_parameters(std::string_view type, const nlohmann::json& data,
                                         const std::vector<std::string>& fields);

/// The parameters of `update`. Errors: as `create_parameters`.
Result<nlohmann::json> update_parameters(std::string_view type, EntityId id, const nlohmann::json& data,
                                         const nlohmann::json& multi_entity_modes);

/// Who asks; the first element of every call's `params` but `info`'s. What a session adds depends on the
/// version of the `site`. Errors: `invalid`: extra members that are no object.
Result<nlohmann::json> auth_block(const CallOptions& options, const Version& site);

/// The body of a call; `parameters` is left out where it is null. Errors: `invalid`.
Result<std::string> envelope(std::string_view method, nlohmann::json auth, nlohmann::json parameters);

/// What the body of an answer may be.
enum class Expect { json, anything };

/// Whether the content type says JSON, or says nothing.
bool is_json(const HttpAnswer& answer);
/// That the HTTP status says success.
Result<void> check_status(const HttpAnswer& answer);

/// Whether an answer is one of the site at all: its status, its content type, that it is not empty.
Result<void> check_http(const HttpAnswer& answer, Expect expect = Expect::json);

/// What a call returned: the value of `results` where there is one, else the whole document. Errors:
/// the site's fault, `bad_answer`.
Result<nlohmann::json> read_results(std::string_view body);

/// That a body is no fault, without reading it all where it plainly is none. Errors: the site's fault;
/// `bad_answer` where it neither begins as results do nor is JSON.
Result<void> check_fault(std::string_view body);

}  // namespace sg::site
