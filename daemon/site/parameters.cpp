#include "site/parameters.hpp"

#include <sg/values.hpp>

namespace sg::site {

using nlohmann::json;

Result<json> link_parameter(const json& value, const char* name) {
    const auto ref = EntityRef::from_json(value);
    if (!ref) return fail(Cause::invalid, "'{}' has to be an entity, with type and id", name);
    return json(ref);
}

Result<json> link_or_null(const json& value, const char* name) {
    if (value.is_null()) return json();
    return link_parameter(value, name);
}

Result<std::string> date_parameter(const json& value, const char* name) {
    if (!read_date(value)) return fail(Cause::invalid, "'{}' has to be a day such as 2026-03-04", name);
    return value.get<std::string>();
}

Result<bool> as_bool(Result<json> answer) {
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (!answer->is_boolean()) return fail(Cause::bad_answer, "the answer is neither true nor false");
    return answer->get<bool>();
}

}  // namespace sg::site
