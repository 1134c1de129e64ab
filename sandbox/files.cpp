#include "sandbox/files.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }
std::string_view query_of(std::string_view target) {
    const auto mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}
std::string last_segment(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

template <class Number = Id>
Number number_of(std::string_view text) {
    Number n = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? n : Number(-1);
}

/// Not a secret that is worth anything: what a test must not guess by accident.
std::string signature_of(std::string_view verb, std::string_view path, std::int64_t expires) {
    std::uint64_t sum = 14695981039346656037U;
    for (const char c : fmt::format("sandbox storage\n{}\n{}\n{}", verb, path, expires)) {
        sum ^= static_cast<unsigned char>(c);
        sum *= 1099511628211U;
    }
    return fmt::format("{:016x}", sum);
}

HttpAnswer plain_text(unsigned status, std::string text) {
    HttpAnswer answer;
    answer.status = status;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = std::move(text);
    return answer;
}

/// How a storage refuses.
HttpAnswer xml(unsigned status, std::string_view code, std::string_view message) {
    HttpAnswer answer;
    answer.status = status;
    answer.content_type = "application/xml";
    answer.body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
        code, message);
    return answer;
}

/// What a `Range` header asks for: first byte and how many.
struct Range {
    std::uint64_t first = 0, bytes = 0;
};
/// nullopt where the whole file is the answer: no range, several, or nonsense. Bytes 0: cannot be met.
std::optional<Range> range_of(std::string_view header, std::uint64_t size) {
    if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return std::nullopt;
    header.remove_prefix(6);
    const auto dash = header.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto from = header.substr(0, dash), to = header.substr(dash + 1);
    if (from.empty()) {
        const auto last = number_of(to);
        if (last < 0) return std::nullopt;
        const auto bytes = std::min(static_cast<std::uint64_t>(last), size);
        return Range{size - bytes, bytes};
    }
    const auto first = number_of(from), end = to.empty() ? Id{0} : number_of(to);
    if (first < 0 || end < 0 || (!to.empty() && end < first)) return std::nullopt;
    const auto begin = static_cast<std::uint64_t>(first);
    if (begin >= size) return Range{begin, 0};
    const auto bytes = size - begin;
    return Range{begin, to.empty()
                            ? bytes
                            : std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(end - first) + 1)};
}

}  // namespace

bool Files::takes(std::string_view verb, std::string_view target) {
    const auto path = path_of(target);
    if (verb == "POST") return path.starts_with("/upload/");
    if (verb == "PUT") return path.starts_with("/storage/");
    return verb == "GET" && (path.starts_with("/storage/") || path.starts_with("/file_serve/") ||
                             path.starts_with("/images/") || path.starts_with("/thumbnail/full/") ||
                             path == "/upload/get_thumbnail_url");
}

std::shared_ptr<StoredBody> Files::store(std::string_view verb, std::string_view target) const {
    const auto path = path_of(target);
    const bool brings_file =
        (verb == "PUT" && path.starts_with("/storage/")) ||
        (verb == "POST" && (path == "/upload/upload_file" || path == "/upload/publish_thumbnail"));
    return brings_file ? make_body() : nullptr;
}

RpcCall Files::parse(const HttpRequest& request) {
    RpcCall call;
    const auto path = path_of(request.target);
    call.method = last_segment(path);
    if (path.starts_with("/storage/")) call.method = request.verb == "PUT" ? "storage_put" : "storage_get";
    if (path.starts_with("/file_serve/")) call.method = "file_serve";
    if (path.starts_with("/images/")) call.method = "image";
    if (path.starts_with("/thumbnail/full/")) call.method = "thumbnail_full";
    call.auth = Json::object();
    call.params = Json::object();
    const auto take = [&](const Form& form) {
        for (const auto& [name, value] : form.fields) {
            const bool who = name == "script_name" || name == "script_key" || name == "user_login" ||
                             name == "user_password" || name == "auth_token" || name == "session_token" ||
                             name == "session_uuid" || name == "sudo_as_login";
            (who ? call.auth : call.params)[name] = value;
        }
    };
    form_ = read_url_encoded(query_of(request.target));
    take(*form_);
    if (request.verb == "POST")
        if ((form_ = read_form(request))) take(*form_);
    for (const auto* header : {"range", "if-range", "cookie", "content-type"})
        if (const auto value = request.header(header); !value.empty()) call.params[header] = value;
    call.params["path"] = path;
    call.entity_type = call.params.value("entity_type", std::string());
    call.script = call.auth.value("script_name", std::string());
    call.session_uuid = call.auth.value("session_uuid", std::string());
    return call;
}

HttpAnswer Files::answer(const RpcCall& call, const HttpRequest& request, Seconds now) {
    base_ = "http://" + std::string(request.header("host"));
    if (call.method == "storage_put") return put(request, now);
    if (call.method == "storage_get") return get(request, now);
    if (call.method == "file_serve") return serve(request, now);
    if (call.method == "thumbnail_full") return uploaded_thumbnail(request);
    if (call.method == "image") return plain_text(200, "a placeholder: the thumbnail is being made\n");
    const auto form = std::exchange(form_, std::nullopt);  // of this very request
    if (!form) return plain_text(200, "0\nThe request is no form.\n");
    try {
        return plain_text(200, answer_form(call.method, *form, now));
    } catch (const Refusal& why) {
        return plain_text(200, fmt::format("0\n{}\n", why.what()));
    }
}

std::string Files::answer_form(const std::string& endpoint, const Form& form, Seconds now) {
    Json auth = Json::object();
    for (const auto& [name, value] : form.fields) auth[name] = value;
    if (endpoint == "get_thumbnail_url") {
        const auto* record = store_.find(form.get("entity_type"), number_of(form.get("entity_id")));
        const auto image = record == nullptr ? Json() : record->value("image");
        if (!image.is_string()) return "0\nThere is no such thumbnail.";
        const auto url = image.get<std::string>();
        return "1\n" + url.substr(url.find('/', url.find("://") + 3));
    }
    const auto caller = rpc_.authority().authenticate(auth);
    if (!caller.may.writes) refuse(fault_crud, "This script may not write.");
    if (endpoint == "api_get_upload_link_info") return link_info(form, now);
    if (endpoint == "api_get_upload_link_for_part") return part_link(form, now);
    if (endpoint == "api_complete_multipart_upload") return complete(form);
    if (endpoint == "api_link_file") return link_file(caller, form, now);
    if (endpoint == "upload_file" || endpoint == "publish_thumbnail")
        return upload_file(caller, form, endpoint == "publish_thumbnail", now);
    if (endpoint == "share_thumbnail") return share_thumbnail(caller, form, now);
    refuse(fault_invalid, "the sandbox has no '/upload/{}'.", endpoint);
}

std::string Files::signed_link(std::string_view verb, std::string path, Seconds now) const {
    const auto expires = (now + link_life).time_since_epoch().count();
    const char separator = path.find('?') == std::string::npos ? '?' : '&';
    return fmt::format("{}{}{}expires={}&signature={}", base_, path, separator, expires,
                       signature_of(verb, path, expires));
}

bool Files::is_signed(std::string_view verb, const std::string& path, const Form& query, Seconds now) const {
    const auto expires = number_of(query.get("expires"));
    return expires >= now.time_since_epoch().count() &&
           query.get("signature") == signature_of(verb, path, expires);
}

std::string Files::link_info(const Form& form, Seconds now) {
    Upload upload;
    upload.type = form.get("upload_type");
    upload.filename = form.get("filename");
    upload.in_parts = form.get("multipart_upload") == "True";
    if (upload.type != "Attachment" && upload.type != "Thumbnail")
        refuse(fault_invalid, "upload_type is neither Attachment nor Thumbnail.");
    if (upload.filename.empty()) refuse(fault_invalid, "filename is missing.");
    const auto id = fmt::format("upload-{:06}", ++last_upload_);
    const auto url = signed_link("PUT", "/storage/uploads/" + id, now);
    const auto text = fmt::format("1\n{}\n{}\n{}\n{}\n", url, iso_text(now), upload.type, id);
    uploads_[id] = std::move(upload);
    return text;
}

std::string Files::part_link(const Form& form, Seconds now) {
    const auto id = form.get("upload_id");
    const auto found = uploads_.find(id);
    const auto part = number_of<int>(form.get("part_number"));
    if (found == uploads_.end() || !found->second.in_parts) refuse(fault_invalid, "There is no such upload.");
    if (part < 1 || part > 10'000) refuse(fault_invalid, "part_number is not from 1 to 10000.");
    return "1\n" + signed_link("PUT", fmt::format("/storage/uploads/{}?part={}", id, part), now);
}

HttpAnswer Files::put(const HttpRequest& request, Seconds now) {
    const auto query = read_url_encoded(query_of(request.target));
    const auto path = path_of(request.target);
    const auto part = query.has("part") ? number_of<int>(query.get("part")) : 0;
    const auto asked = part > 0 ? fmt::format("{}?part={}", path, part) : std::string(path);
    if (!is_signed("PUT", asked, query, now)) return xml(403, "AccessDenied", "Request has expired");
    const auto found = uploads_.find(last_segment(path));
    if (found == uploads_.end() || found->second.in_parts != (part > 0) || !request.stored)
        return xml(404, "NoSuchUpload", "The specified upload does not exist.");
    auto& upload = found->second;
    const auto size = request.stored->size();
    const auto etag = fmt::format("\"{}-{}-{:x}\"", last_segment(path), part, size);
    upload.content_type = std::string(request.header("content-type"));
    auto& stored = upload.parts[part];
    stored.bytes.body = request.stored;
    stored.bytes.length = size;
    stored.etag = etag;
    upload.whole = !upload.in_parts;
    auto answer = plain_text(200, "");
    answer.headers.emplace_back("ETag", etag);
    return answer;
}

std::string Files::complete(const Form& form) {
    const auto found = uploads_.find(form.get("upload_id"));
    if (found == uploads_.end() || !found->second.in_parts) refuse(fault_invalid, "There is no such upload.");
    auto& upload = found->second;
    std::string etags;
    int number = 0;
    for (const auto& [part, stored] : upload.parts) {
        if (part != ++number) refuse(fault_invalid, "InvalidPart: part {} is missing.", number);
        const bool last = part == upload.parts.rbegin()->first;
        if (!last && stored.bytes.length < smallest_part)
            refuse(fault_invalid, "EntityTooSmall: part {} is smaller than {} bytes.", part, smallest_part);
        etags += (part > 1 ? "," : "") + stored.etag;
    }
    if (number == 0 || etags != form.get("etags"))
        refuse(fault_invalid, "InvalidPart: the etags are not those of the parts.");
    upload.whole = true;
    return "1\n";
}

HttpAnswer Files::uploaded_thumbnail(const HttpRequest& request) const {
    const auto path = path_of(request.target);
    const auto type = path.substr(0, path.rfind('/'));
    const auto* record = store_.find(last_segment(type), number_of(last_segment(path)));
    const auto image = record == nullptr ? Json() : record->value("image");
    if (!image.is_string()) return plain_text(404, "There is no such thumbnail.\n");
    auto answer = plain_text(302, "");
    answer.headers.emplace_back("Location", image.get<std::string>());
    return answer;
}

HttpAnswer Files::serve(const HttpRequest& request, Seconds now) const {
    const auto id = number_of(last_segment(path_of(request.target)));
    if (!files_.contains(id)) return plain_text(400, "There is no such attachment, or it is a local file.\n");
    auto answer = plain_text(302, "");
    answer.headers.emplace_back("Location", signed_link("GET", fmt::format("/storage/files/{}", id), now));
    return answer;
}

HttpAnswer Files::get(const HttpRequest& request, Seconds now) {
    const auto path = std::string(path_of(request.target));
    if (!is_signed("GET", path, read_url_encoded(query_of(request.target)), now))
        return xml(403, "AccessDenied", "Request has expired");
    const auto found = files_.find(number_of(last_segment(path)));
    if (found == files_.end()) return xml(404, "NoSuchKey", "The specified key does not exist.");
    const auto& file = found->second;
    const auto size = file.content.size();
    HttpAnswer answer;
    answer.content_type = file.content_type;
    answer.headers = {{"ETag", file.etag},
                      {"Accept-Ranges", "bytes"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file.name)}};
    auto range = range_of(request.header("range"), size);
    // A range of what the client has no longer is of no use to it.
    if (const auto which = request.header("if-range"); !which.empty() && which != file.etag) range.reset();
    if (range && range->bytes == 0) {
        auto refusal = xml(416, "InvalidRange", "The requested range is not satisfiable");
        refusal.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
        return refusal;
    }
    answer.content = std::make_shared<const Content>(file.content);
    answer.content_bytes = size;
    if (!range) return answer;
    answer.status = 206;
    answer.content_offset = range->first;
    answer.content_bytes = range->bytes;
    answer.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->first + range->bytes - 1, size));
    return answer;
}

}  // namespace sg::sandbox
