// YAML to JSON, within bounds.

#include "config/arguments.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace sg::config {
namespace {

using nlohmann::json;
constexpr int deepest = 64;
constexpr int most_values = 100'000;

json plain_scalar(const std::string& text) {
    if (text.empty() || text == "null" || text == "~") return nullptr;
    if (text == "true" || text == "false") return text == "true";
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto r = std::from_chars(text.data(), end, integer); r.ec == std::errc() && r.ptr == end)
        return integer;
    double real = 0;
    const bool numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (const auto r = std::from_chars(text.data(), end, real);
        numeric && r.ec == std::errc() && r.ptr == end)
        return real;
    return text;
}

class Reader {
public:
    explicit Reader(const Resolve& resolve) : resolve_(resolve) {}

    /// The value in `first`, and in `second` as it may be shown.
    Result<std::pair<json, json>> read(const YAML::Node& node, int depth) {
        if (depth > deepest || ++values_ > most_values)
            return fail(Cause::invalid, "expected at most {} levels and {} values", deepest, most_values);
        if (node.IsMap()) return map(node, depth);
        if (node.IsSequence()) return sequence(node, depth);
        if (!node.IsScalar()) return std::pair<json, json>{};
        return scalar(node);
    }
    std::vector<std::string> secrets;

private:
    Result<std::pair<json, json>> map(const YAML::Node& node, int depth) {
        std::pair<json, json> out{json::object(), json::object()};
        for (const auto& entry : node) {
            if (!entry.first.IsScalar()) return fail(Cause::invalid, "expected keys that are text");
            const auto& key = entry.first.Scalar();
            if (key == "<<") return fail(Cause::invalid, "'<<' is not supported: write the keys out");
            if (out.first.contains(key)) return fail(Cause::invalid, "'{}' is given twice", key);
            auto value = read(entry.second, depth + 1);
            if (!value) return tl::unexpected(value.error());
            out.first[key] = std::move(value->first);
            out.second[key] = std::move(value->second);
        }
        return out;
    }
    Result<std::pair<json, json>> sequence(const YAML::Node& node, int depth) {
        std::pair<json, json> out{json::array(), json::array()};
        for (const auto& entry : node) {
            auto value = read(entry, depth + 1);
            if (!value) return tl::unexpected(value.error());
            out.first.push_back(std::move(value->first));
            out.second.push_back(std::move(value->second));
        }
        return out;
    }
    Result<std::pair<json, json>> scalar(const YAML::Node& node) {
        const auto& text = node.Scalar();
        if (auto resolved = resolve_(text)) {
            if (!*resolved) return tl::unexpected(resolved->error());
            secrets.push_back(**resolved);
            return std::pair<json, json>{std::move(**resolved), text};
        }
        json value = node.Tag() == "?" ? plain_scalar(text) : json(text);
        return std::pair<json, json>{value, value};
    }

    const Resolve& resolve_;
    int values_ = 0;
};

}  // namespace

Result<Arguments> read_arguments(const YAML::Node& node, const Resolve& resolve) {
    Reader reader(resolve);
    auto value = reader.read(node, 0);
    if (!value) return tl::unexpected(value.error());
    return Arguments{value->first.dump(), value->second.dump(), std::move(reader.secrets)};
}

Result<EventTraits> read_traits(const YAML::Node& node) {
    const Resolve none = [](const std::string&) { return std::nullopt; };
    auto value = Reader(none).read(node, 0);
    if (!value) return tl::unexpected(value.error());
    try {
        return EventTraits::from_json(value->first);
    } catch (const Error& error) {
        return fail(Cause::invalid, "{}", error.what());
    }
}

}  // namespace sg::config
