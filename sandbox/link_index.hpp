#pragma once
// Which rows link to a row, without looking at all of them.

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sg::sandbox {

/// A link that every row matching a filter has: what narrows a search.
struct LinkHint {
    std::string field;
    std::string type;
    std::int64_t id = 0;
};

/// The links that `filters` asks for by `is`, in groups that must hold as a whole. What is of another shape
/// is left out, so that hints never narrow too much.
std::vector<LinkHint> link_hints(const nlohmann::json& filters);

/// For one field of one type: the ids of rows by what they link to, or ever did: a row's old links
/// stay, so every hit must be looked at.
///
/// Threads: none of its own; the site's lock guards it.
class LinkIndex {
public:
    void add(std::string_view target_type, std::int64_t target, std::int64_t row);
    /// Ascending; nullptr if nothing ever linked there.
    const std::vector<std::int64_t>* rows(std::string_view target_type, std::int64_t target) const;

private:
    std::unordered_map<std::string, std::unordered_map<std::int64_t, std::vector<std::int64_t>>> by_type_;
};

}  // namespace sg::sandbox
