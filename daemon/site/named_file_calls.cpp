#include "site/named_file_calls.hpp"

#include <filesystem>

#include "site/json_text.hpp"

namespace sg::site {
namespace {

using nlohmann::json;

std::filesystem::path absolute_path(Arguments& arguments, const char* name) {
    std::filesystem::path path = arguments.text(name);
    if (!path.is_absolute()) arguments.complain(name, "has to be an absolute path");
    return path;
}

using Link = std::pair<std::string, EntityId>;

Link link_of(Arguments& arguments, const char* name, const json& value) {
    const auto link = EntityRef::from_json(value);
    if (!link) arguments.complain(name, "has to name entities by type and id");
    return {link.type, link.id};
}

}  // namespace

bool moves_file(std::string_view method) { return method == "upload" || method == "download_attachment"; }

Result<json> upload_file(Client& client, Arguments& arguments, const CallOptions& options) {
    UploadRequest request;
    request.type = arguments.text("type");
    request.id = arguments.integer("id");
    request.file = absolute_path(arguments, "file");
    request.field = arguments.text_or("field", "");
    request.display_name = arguments.text_or("display_name", "");
    request.tags = arguments.texts_or_none("tags");
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    request.progress = options.progress;
    auto id = client.upload(request, options);
    if (!id) return tl::unexpected(std::move(id.error()));
    return json(*id);
}

Result<json> share_thumbnail(Client& client, Arguments& arguments, const CallOptions& options) {
    ShareThumbnailRequest request;
    const auto& entities = arguments.any("entities");
    if (!entities.is_array()) arguments.complain("entities", "has to be a list");
    for (const auto& each : entities) request.entities.push_back(link_of(arguments, "entities", each));
    request.source = link_of(arguments, "source", arguments.any("source"));
    request.filmstrip = arguments.flag_or("filmstrip", false);
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    auto id = client.share_thumbnail(request, options);
    if (!id) return tl::unexpected(std::move(id.error()));
    return *id ? json(**id) : json();
}

Result<json> download_file(Client& client, Arguments& arguments, const CallOptions& options) {
    DownloadRequest request;
    request.attachment = arguments.any("attachment");
    request.to = absolute_path(arguments, "to");
    if (auto fine = arguments.complaint(); !fine) return tl::unexpected(std::move(fine.error()));
    request.progress = options.progress;
    auto done = client.download(request, options);
    if (!done) return tl::unexpected(std::move(done.error()));
    if (!*done) return json();
    return json{{"bytes", (*done)->bytes}, {"content_type", printable((*done)->content_type, 200)}};
}

}  // namespace sg::site
