#include "site/arguments.hpp"

#include <limits>

#include "site/json_text.hpp"

namespace sg::site {

using nlohmann::json;

namespace {
const json null;
}

const json* Arguments::find(const char* name) {
    known_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
}

void Arguments::complain(const char* name, const char* what) {
    if (!complaint_) complaint_ = Failure{Cause::invalid, fmt::format("'{}' {}", name, what), 0, 0, {}};
}

const json& Arguments::any_or_null(const char* name) {
    const auto* found = find(name);
    return found == nullptr ? null : *found;
}

const json& Arguments::any(const char* name) {
    if (const auto* found = find(name)) return *found;
    complain(name, "is missing");
    return null;
}

std::string Arguments::to_text(const char* name, const json& value) {
    if (value.is_string()) return value.get<std::string>();
    complain(name, "has to be text");
    return {};
}

std::string Arguments::text(const char* name) { return to_text(name, any(name)); }

std::string Arguments::text_or(const char* name, std::string otherwise) {
    const auto* found = find(name);
    return found == nullptr ? std::move(otherwise) : to_text(name, *found);
}

std::int64_t Arguments::integer(const char* name) {
    const auto& value = any(name);
    const bool fits =
        value.is_number_integer() && (!value.is_number_unsigned() ||
                                      value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
    if (fits) return value.get<std::int64_t>();
    complain(name, "has to be an integer");
    return 0;
}

std::int64_t Arguments::integer_or(const char* name, std::int64_t otherwise) {
    return find(name) == nullptr ? otherwise : integer(name);
}

bool Arguments::flag(const char* name) {
    const auto& value = any(name);
    if (!value.is_boolean()) complain(name, "has to be true or false");
    return value.is_boolean() && value.get<bool>();
}

bool Arguments::flag_or(const char* name, bool otherwise) {
    return find(name) == nullptr ? otherwise : flag(name);
}

std::vector<std::string> Arguments::texts_or_none(const char* name) {
    std::vector<std::string> out;
    const auto* value = find(name);
    if (value == nullptr) return out;
    if (!value->is_array()) {
        complain(name, "has to be a list");
        return out;
    }
    for (const auto& each : *value) out.push_back(to_text(name, each));
    return out;
}

Result<void> Arguments::complaint() const {
    if (complaint_) return tl::unexpected(*complaint_);
    for (const auto& [name, value] : object_.items())
        if (!known_.contains(name))
            return fail(Cause::not_supported, "the argument '{}' is not known", printable(name, 80));
    return {};
}

}  // namespace sg::site
