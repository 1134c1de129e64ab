// The site client behind the names and orders of arguments of the official Python client.

#include <vector>

#include "retriever/site_connection.hpp"
#include "site/endpoint.hpp"
#include "site/json_text.hpp"
#include "site/named_calls.hpp"

namespace sg::retriever {
namespace {

using nlohmann::json;

/// As Python has it, and as `site::call_by_name` has it.
struct Parameter {
    const char* name;
    const char* own = name;
};
struct Signature {
    std::string_view method;
    std::vector<Parameter> parameters;
};

const std::vector<Signature>& signatures() {
    static const std::vector<Signature> all{
        {"find",
         {{"entity_type", "type"},
          {"filters"},
          {"fields"},
          {"order"},
          {"filter_operator"},
          {"limit"},
          {"retired_only"},
          {"page"},
          {"include_archived_projects"},
          {"additional_filter_presets"}}},
        {"find_one",
         {{"entity_type", "type"},
          {"filters"},
          {"fields"},
          {"order"},
          {"filter_operator"},
          {"retired_only"},
          {"include_archived_projects"},
          {"additional_filter_presets"}}},
        {"create", {{"entity_type", "type"}, {"data"}, {"return_fields", "fields"}}},
        {"update", {{"entity_type", "type"}, {"entity_id", "id"}, {"data"}, {"multi_entity_update_modes"}}},
        {"delete", {{"entity_type", "type"}, {"entity_id", "id"}}},
        {"text_search", {{"text"}, {"entity_types"}, {"project_ids"}, {"limit"}}},
        {"nav_expand", {{"path"}, {"seed_entity_field"}, {"entity_fields"}}},
        {"nav_search_string", {{"root_path"}, {"search_string"}, {"seed_entity_field"}}},
        {"nav_search_entity", {{"root_path"}, {"entity"}, {"seed_entity_field"}}},
        {"schema_read", {{"project_entity", "project"}}},
        {"schema_entity_read", {{"project_entity", "project"}}},
    };
    return all;
}

}  // namespace

Result<json> by_name(std::string_view method, const json& args, const json& kwargs) {
    static const std::vector<Parameter> none;
    const auto* parameters = &none;
    for (const auto& signature : signatures())
        if (signature.method == method) parameters = &signature.parameters;
    if (args.size() > parameters->size())
        return fail(Cause::invalid, "{} takes {} arguments by place, and {} are given",
                    site::printable(method, 80), parameters->size(), args.size());
    auto out = json::object();
    for (std::size_t i = 0; i < args.size(); ++i)
        if (!args[i].is_null()) out[(*parameters)[i].own] = args[i];
    for (const auto& [name, value] : kwargs.items()) {
        auto own = name;
        for (std::size_t i = 0; i < parameters->size(); ++i) {
            if (name != (*parameters)[i].name && name != (*parameters)[i].own) continue;
            own = (*parameters)[i].own;
            if (i < args.size())
                return fail(Cause::invalid, "{} is given '{}' twice", site::printable(method, 80), name);
        }
        if (!value.is_null()) out[own] = value;
    }
    return out;
}

namespace {

class ClientConnection final : public SiteConnection {
public:
    ClientConnection(site::Client& client, std::string url, site::CallOptions options)
        : client_(client), url_(std::move(url)), options_(std::move(options)) {}

    std::unique_ptr<SiteConnection> clone() const override {
        return std::make_unique<ClientConnection>(client_, url_, options_);
    }
    std::string url() const override { return url_; }

    Result<json> call(std::string_view method, const json& args, const json& kwargs,
                      std::stop_token stop) override {
        auto named = by_name(method, args, kwargs);
        if (!named) return named;
        auto options = options_;
        options.stop = std::move(stop);
        if (method != "find_one") return site::call_by_name(client_, method, *named, options);
        (*named)["limit"] = 1;
        auto rows = site::call_by_name(client_, "find", *named, options);
        if (!rows) return rows;
        return rows->empty() ? json() : json(std::move(rows->front()));
    }

    Result<Fetched> download(const std::string& url, const std::filesystem::path& to,
                             std::stop_token stop) override {
        auto options = options_;
        options.stop = std::move(stop);
        auto done = client_.download({url, to, {}}, options);
        if (!done) return tl::unexpected(std::move(done.error()));
        if (!*done) return fail(Cause::invalid, "there is nothing to download");
        // The client has held the length against what was announced.
        return Fetched{std::move((*done)->final_url), std::move((*done)->content_type), (*done)->bytes, {}};
    }

private:
    site::Client& client_;
    const std::string url_;
    const site::CallOptions options_;
};

}  // namespace

std::unique_ptr<SiteConnection> make_connection(site::Client& client, const std::string& base_url,
                                                site::CallOptions options) {
    return std::make_unique<ClientConnection>(client, site::origin_of(base_url), std::move(options));
}

}  // namespace sg::retriever
