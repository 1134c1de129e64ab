#include "retriever/files.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "retriever/file_cache.hpp"
#include "retriever/messages.hpp"

namespace sg::retriever {
namespace {

using nlohmann::json;

/// The server will not give the file by this URL any more.
bool is_expired(const Failure& why) {
    constexpr std::array statuses{400, 401, 403, 404, 410};
    return std::find(statuses.begin(), statuses.end(), why.http_status) != statuses.end();
}

std::string percent_quoted(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_' || c == '.' || c == '-' || c == '~';
        if (is_plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

Result<File> as_file(Result<std::filesystem::path> stored, const std::string& url) {
    if (!stored) return tl::unexpected(download_failed(url, std::move(stored.error())));
    return File(std::move(*stored));
}

}  // namespace

std::string ThumbnailSource::key() const { return "thumbnail " + FileCache::key(url_); }
Result<File> ThumbnailSource::find(FileCache& cache) const { return cache.find(url_); }

Result<json> ThumbnailSource::fresh_url(Connections::Lease& site, std::stop_token stop) const {
    const json filters = json::array({json::array({"id", "is", id_})});
    auto row = site.call("find_one", json::array({type_, filters, json::array({*field_})}), json::object(),
                         std::move(stop));
    if (!row) return row;
    const auto url = row->is_object() ? row->value(*field_, json()) : json();
    return url.is_string() && !url.get_ref<const std::string&>().empty() ? url : json();
}

Result<File> ThumbnailSource::fetch(FileCache& cache, Connections& connections, std::stop_token stop) const {
    bool is_none = false;
    auto asked = url_;
    auto stored = cache.store(
        url_,
        [&](const std::filesystem::path& to, const std::stop_token& stopped) -> Result<Fetched> {
            Connections::Lease site(connections);
            auto got = site.download(url_, to, stopped);
            if (got || !field_ || !is_expired(got.error())) return got;
            auto fresh = fresh_url(site, stopped);
            if (!fresh) return tl::unexpected(std::move(fresh.error()));
            is_none = fresh->is_null();
            if (is_none) return fail(Cause::bad_request, "there is no thumbnail any more");
            asked = fresh->get<std::string>();
            return site.download(asked, to, stopped);
        },
        stop);
    if (is_none) return File();
    return as_file(std::move(stored), asked);
}

UploadedThumbnail::UploadedThumbnail(const std::string& site, const std::string& type, EntityId id)
    : url_(fmt::format("{}/thumbnail/full/{}/{}", site, percent_quoted(type), id)) {}

std::string UploadedThumbnail::key() const { return "thumbnail " + FileCache::key(url_); }
Result<File> UploadedThumbnail::find(FileCache& cache) const { return cache.find(url_); }

Result<File> UploadedThumbnail::fetch(FileCache& cache, Connections& connections,
                                      std::stop_token stop) const {
    auto stored = cache.store(
        url_,
        [&](const std::filesystem::path& to, const std::stop_token& stopped) {
            return Connections::Lease(connections).download(url_, to, stopped);
        },
        stop);
    if (!stored && stored.error().http_status == 404) return File();
    return as_file(std::move(stored), url_);
}

AttachmentSource::AttachmentSource(json record, const std::string& site)
    : json_(std::move(record)), record_(read_attachment(json_)) {
    if (!record_) return;
    url_ = record_->id > 0 ? fmt::format("{}/file_serve/attachment/{}", site, record_->id) : record_->url;
}

bool AttachmentSource::is_elsewhere() const { return !record_ || record_->local; }

std::string AttachmentSource::key() const {
    return fmt::format("attachment {} {}", FileCache::key(record_->keyed_by()), record_->name);
}

Result<File> AttachmentSource::find(FileCache& cache) const { return cache.find_attachment(json_); }

Result<File> AttachmentSource::fetch(FileCache& cache, Connections& connections, std::stop_token stop) const {
    auto stored = cache.store_attachment(
        json_,
        [&](const std::filesystem::path& to, const std::stop_token& stopped) {
            return Connections::Lease(connections).download(url_, to, stopped);
        },
        stop);
    return as_file(std::move(stored), url_);
}

}  // namespace sg::retriever
