#include "sandbox/link_index.hpp"

#include <algorithm>

namespace sg::sandbox {
namespace {

using Json = nlohmann::json;

void collect(const Json& node, std::vector<LinkHint>& out) {
    if (!node.is_object()) return;
    const auto inner = node.find("conditions");
    if (inner != node.end()) {
        const auto all = node.find("logical_operator");
        if (all == node.end() || *all != "and" || !inner->is_array()) return;
        for (const auto& condition : *inner) collect(condition, out);
        return;
    }
    const auto path = node.find("path"), relation = node.find("relation"), values = node.find("values");
    if (path == node.end() || relation == node.end() || values == node.end() || *relation != "is") return;
    if (!path->is_string() || path->get_ref<const std::string&>().find('.') != std::string::npos) return;
    const auto& link = values->is_array() && values->size() == 1 ? values->front() : *values;
    if (!link.is_object() || !link.contains("type") || !link.contains("id")) return;
    if (!link["type"].is_string() || !link["id"].is_number_integer()) return;
    out.push_back(
        {path->get<std::string>(), link["type"].get<std::string>(), link["id"].get<std::int64_t>()});
}

}  // namespace

std::vector<LinkHint> link_hints(const Json& filters) {
    std::vector<LinkHint> out;
    collect(filters, out);
    return out;
}

void LinkIndex::add(std::string_view target_type, std::int64_t target, std::int64_t row) {
    auto of_type = by_type_.find(std::string(target_type));
    if (of_type == by_type_.end()) of_type = by_type_.try_emplace(std::string(target_type)).first;
    auto& ids = of_type->second[target];
    if (ids.empty() || ids.back() < row) {
        ids.push_back(row);
        return;
    }
    const auto at = std::ranges::lower_bound(ids, row);
    if (at == ids.end() || *at != row) ids.insert(at, row);
}

const std::vector<std::int64_t>* LinkIndex::rows(std::string_view target_type, std::int64_t target) const {
    const auto of_type = by_type_.find(std::string(target_type));
    if (of_type == by_type_.end()) return nullptr;
    const auto found = of_type->second.find(target);
    return found == of_type->second.end() ? nullptr : &found->second;
}

}  // namespace sg::sandbox
