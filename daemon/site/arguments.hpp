#pragma once
// The arguments of a plugin's call, read by name.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace sg::site {

/// Reads arguments by name and keeps the first complaint; what nobody has read is not known here.
///
/// Lifetime: `object` outlives it, and what it returns by reference.
class Arguments {
public:
    explicit Arguments(const nlohmann::json& object) : object_(object) {}

    /// A value as it came, null where it is absent; or a complaint where it is.
    const nlohmann::json& any_or_null(const char* name);
    const nlohmann::json& any(const char* name);

    std::string text(const char* name);
    std::string text_or(const char* name, std::string otherwise);
    std::int64_t integer(const char* name);
    std::int64_t integer_or(const char* name, std::int64_t otherwise);
    bool flag(const char* name);
    bool flag_or(const char* name, bool otherwise);
    std::vector<std::string> texts_or_none(const char* name);

    /// A complaint about a value that is of the right kind and yet makes no sense.
    void complain(const char* name, const char* what);

    /// To be asked when all has been read. Errors: `invalid`, `not_supported`.
    Result<void> complaint() const;

private:
    const nlohmann::json* find(const char* name);
    std::string to_text(const char* name, const nlohmann::json& value);

    const nlohmann::json& object_;
    std::set<std::string, std::less<>> known_;
    std::optional<Failure> complaint_;
};

}  // namespace sg::site
