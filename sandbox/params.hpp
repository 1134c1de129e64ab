#pragma once
// Parameters of a method, checked as they are taken out. Each throws `Refusal` where they are wrong.

#include "sandbox/methods.hpp"

namespace sg::sandbox {

/// The type that `type` names.
const EntityDef& type_in(const Json& params, const Call& call, const char* key = "type");
Id id_in(const Json& params, const Call& call, const char* key = "id");
std::string text_in(const Json& params, const Call& call, const char* key);
/// A link to a row that exists and is not retired.
const Record& row_in(const Json& params, const Call& call, const char* key);
/// The same; nullptr where the member is null or absent.
const Record* maybe_row_in(const Json& params, const Call& call, const char* key);
/// `fields` of a create or an update.
std::vector<FieldWrite> writes_in(const Json& params, const Call& call);
/// The texts of an array; none where the member is null or absent.
std::vector<std::string> names_in(const Json& params, const char* key);
/// Refuses the call where the caller may not write rows of this type.
void need_write(const Call& call, const std::string& type);

}  // namespace sg::sandbox
