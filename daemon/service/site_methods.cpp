#include "service/site_methods.hpp"

#include <array>
#include <limits>
#include <set>

#include "site/json_text.hpp"

namespace sg::service {
namespace {

using nlohmann::json;

/// Reads arguments by name and keeps the first complaint; what nobody has read is not known here.
class Arguments {
public:
    explicit Arguments(const json& object) : object_(object) {}

    const json& any(const char* name, const json& otherwise) {
        known_.insert(name);
        const auto found = object_.find(name);
        return found == object_.end() ? otherwise : *found;
    }
    const json& any(const char* name) {
        const auto& value = any(name, missing_);
        if (&value == &missing_) complain(name, "is missing");
        return value;
    }
    std::string text(const char* name) { return to_text(name, any(name)); }
    std::string text_or(const char* name, const json& otherwise) {
        return to_text(name, any(name, otherwise));
    }
    std::int64_t integer(const char* name) { return to_integer(name, any(name)); }
    std::int64_t integer_or(const char* name, const json& otherwise) {
        return to_integer(name, any(name, otherwise));
    }
    bool flag_or(const char* name, const json& otherwise) {
        const auto& value = any(name, otherwise);
        if (!value.is_boolean()) complain(name, "has to be true or false");
        return value.is_boolean() && value.get<bool>();
    }
    std::vector<std::string> texts_or_none(const char* name) {
        static const json none = json::array();
        const auto& value = any(name, none);
        std::vector<std::string> out;
        if (!value.is_array()) complain(name, "has to be a list");
        for (const auto& each : value.is_array() ? value : none) out.push_back(to_text(name, each));
        return out;
    }

    /// To be asked when all has been read.
    Result<void> complaint() {
        if (complaint_) return tl::unexpected(*complaint_);
        for (const auto& [name, value] : object_.items())
            if (!known_.contains(name))
                return fail(Cause::not_supported, "the argument '{}' is not known",
                            site::printable(name, 80));
        return {};
    }

private:
    void complain(const char* name, const char* what) {
        if (!complaint_) complaint_ = Failure{Cause::invalid, fmt::format("'{}' {}", name, what), 0, 0, {}};
    }
    std::string to_text(const char* name, const json& value) {
        if (value.is_string()) return value.get<std::string>();
        complain(name, "has to be text");
        return {};
    }
    std::int64_t to_integer(const char* name, const json& value) {
        const bool fits = value.is_number_integer() &&
                          (!value.is_number_unsigned() ||
                           value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
        if (fits) return value.get<std::int64_t>();
        complain(name, "has to be an integer");
        return 0;
    }

    const json& object_;
    const json missing_;
    std::set<std::string, std::less<>> known_;
    std::optional<Failure> complaint_;
};

using Method = Result<json> (*)(site::Client&, Arguments&, const site::CallOptions&);

Result<json> find(site::Client& client, Arguments& arguments, const site::CallOptions& options) {
    site::FindRequest request;
    request.query.type = arguments.text("type");
    request.query.filters = arguments.any("filters", json::array());
    request.query.filter_operator = arguments.text_or("filter_operator", "");
    request.query.fields = arguments.texts_or_none("fields");
    request.query.order = arguments.any("order", json::array());
    request.query.retired_only = arguments.flag_or("retired_only", false);
    request.query.include_archived_projects = arguments.flag_or("include_archived_projects", true);
    request.query.additional_filter_presets = arguments.any("additional_filter_presets", nullptr);
    request.limit = arguments.integer_or("limit", 0);
    request.page = arguments.integer_or("page", 0);
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    return client.find(request, options);
}

Result<json> create(site::Client& client, Arguments& arguments, const site::CallOptions& options) {
    const auto type = arguments.text("type");
    const auto& data = arguments.any("data");
    const auto fields = arguments.texts_or_none("fields");
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    return client.create(type, data, fields, options);
}

Result<json> update(site::Client& client, Arguments& arguments, const site::CallOptions& options) {
    static const json none;
    const auto type = arguments.text("type");
    const auto id = arguments.integer("id");
    const auto& data = arguments.any("data");
    const auto& modes = arguments.any("multi_entity_update_modes", none);
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    return client.update(type, id, data, modes, options);
}

Result<json> remove(site::Client& client, Arguments& arguments, const site::CallOptions& options) {
    const auto type = arguments.text("type");
    const auto id = arguments.integer("id");
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    return client.remove(type, id, options).map([](bool done) { return json(done); });
}

struct Entry {
    std::string_view name;
    Method method;
};
constexpr std::array methods{Entry{"find", find}, Entry{"create", create}, Entry{"update", update},
                             Entry{"delete", remove}};

}  // namespace

Result<std::string> call_site(site::Client& client, std::string_view method, std::string_view arguments,
                              const site::CallOptions& options) {
    for (const auto& [name, call] : methods) {
        if (name != method) continue;
        auto read = site::read_json(arguments);
        if (!read) return fail(Cause::invalid, "the arguments of {}: {}", name, read.error().message);
        if (!read->is_object()) return fail(Cause::invalid, "the arguments of {} are no object", name);
        Arguments named(*read);
        auto result = call(client, named, options);
        if (!result) return tl::unexpected(std::move(result.error()));
        return result->dump(-1, ' ', false, json::error_handler_t::replace);
    }
    return fail(Cause::not_supported, "this daemon does not know the site call '{}'",
                site::printable(method, 80));
}

}  // namespace sg::service
