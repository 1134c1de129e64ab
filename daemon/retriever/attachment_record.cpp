#include "retriever/attachment_record.hpp"

#include <algorithm>
#include <utility>

#include "retriever/cache_key.hpp"

namespace sg::retriever {
namespace {

using nlohmann::json;

/// A text that may be missing or null. Errors: `invalid`: it is something else.
Result<std::string> text_of(const json& record, const char* key) {
    const auto found = record.find(key);
    if (found == record.end() || found->is_null()) return std::string();
    if (!found->is_string()) return fail(Cause::invalid, "the {} of the attachment's file is no text", key);
    return found->get<std::string>();
}

}  // namespace

std::string AttachmentRecord::keyed_by() const {
    return url_path(url).empty() ? fmt::format("/file_serve/attachment/{}", id) : url;
}

Result<AttachmentRecord> read_attachment(const json& attachment) {
    if (!attachment.is_object()) return fail(Cause::invalid, "the attachment is no object");
    AttachmentRecord record;
    if (const auto id = attachment.find("id"); id != attachment.end() && id->is_number_integer())
        record.id = std::max(id->get<std::int64_t>(), std::int64_t{0});
    const auto file = attachment.find("this_file");
    if (file != attachment.end() && !file->is_null()) {
        if (!file->is_object()) return fail(Cause::invalid, "the attachment's this_file is no object");
        for (const auto& [key, to] : {std::pair{"url", &record.url}, std::pair{"name", &record.name}}) {
            auto text = text_of(*file, key);
            if (!text) return tl::unexpected(std::move(text.error()));
            *to = std::move(*text);
        }
        const auto path = file->find("local_path");
        std::error_code ignored;
        if (file->value("link_type", json()) == "local" && path != file->end() && path->is_string() &&
            std::filesystem::exists(path->get_ref<const std::string&>(), ignored))
            record.local = path->get<std::string>();
    }
    if (!record.local && record.id == 0 && url_path(record.url).empty())
        return fail(Cause::invalid, "the attachment has neither an id nor a url");
    return record;
}

}  // namespace sg::retriever
