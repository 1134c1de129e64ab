#include <algorithm>

#include "site/file_calls.hpp"
#include "site/json_text.hpp"
#include "site/wire.hpp"

namespace sg::site {

using nlohmann::json;

UploadKind kind_of(std::string_view field) {
    if (field == "image" || field == "thumb_image") return UploadKind::thumbnail;
    if (field == "filmstrip_image" || field == "filmstrip_thumb_image") return UploadKind::filmstrip;
    return UploadKind::file;
}

bool goes_to_storage(const json& info, std::string_view type, std::string_view field) {
    if (!info.is_object() || info.value("s3_direct_uploads_enabled", json()) != true) return false;
    if (type == "Version" && field == "sg_uploaded_movie") return true;
    const auto types = info.value("s3_enabled_upload_types", json());
    if (!types.is_object()) return false;
    // A single word stands where a list of one is meant.
    const auto lists = [](const json& list, std::string_view word) {
        if (list.is_string()) return list == word;
        return list.is_array() && std::find(list.begin(), list.end(), json(word)) != list.end();
    };
    for (const auto& key : {std::string(type), std::string("*")}) {
        const auto list = types.value(key, json());
        if (lists(list, "*") || (!field.empty() && lists(list, field))) return true;
    }
    return false;
}

Failure storage_failure(const HttpAnswer& answer) {
    auto status = check_status(answer);
    Failure failure = status ? Failure{Cause::internal, "", 0, answer.status, {}} : std::move(status.error());
    failure.message = fmt::format("the storage answered with HTTP status {}", answer.status);
    const auto begin = answer.body.find("<Message>"), end = answer.body.find("</Message>");
    if (begin != std::string::npos && end != std::string::npos && begin < end)
        failure.message += ": " + answer.body.substr(begin + 9, end - begin - 9);
    return failure;
}

namespace {

/// What a storage may answer differently a moment later.
bool storage_may_recover(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

const char* upload_type(UploadKind kind) { return kind == UploadKind::file ? "Attachment" : "Thumbnail"; }

/// What says which file a file is, where its entity gets it.
FormFields file_fields(const UploadRequest& request, const SentFile& file, UploadKind kind) {
    FormFields fields;
    if (kind == UploadKind::filmstrip) fields.emplace_back("filmstrip", "True");
    if (kind != UploadKind::file) return fields;
    if (!request.field.empty()) fields.emplace_back("field_name", request.field);
    fields.emplace_back("display_name", request.display_name.empty() ? file.name() : request.display_name);
    if (!request.tags.empty())
        fields.emplace_back("tag_list", fmt::format("{}", fmt::join(request.tags, ",")));
    return fields;
}

Result<EntityId> linked(const Result<FormAnswer>& answer) {
    if (!answer) return tl::unexpected(answer.error());
    if (answer->verdict == '2') return fail(Cause::busy, "the site is not ready for it yet");
    if (const auto id = attachment_id(*answer)) return *id;
    return fail(Cause::bad_answer, "the site took the file and did not say under which id");
}

}  // namespace

Client::Files::Files(Calls& calls, const CallOptions& options) : calls_(calls), options_(options) {
    const auto& url = calls.route().endpoint.url;
    root_ = url.substr(0, url.find('/', url.find("://") + 3));
}

void Client::Files::Sending::progress(std::uint64_t done) {
    furthest = std::max(furthest, done);
    if (request.progress) request.progress(furthest, file.size());
}

Result<FormFields> Client::Files::with_auth(FormFields fields) const {
    const auto auth = calls_.auth(options_);
    if (!auth) return tl::unexpected(auth.error());
    add_auth(fields, *auth);
    return fields;
}

Result<FormAnswer> Client::Files::post_form(const std::string& what, const char* path, FormFields fields,
                                            Repeat repeat) {
    auto all = with_auth(std::move(fields));
    if (!all) return fail(std::move(all.error()), "{}", what);
    const auto text = url_encoded(*all);
    auto answer = calls_.persist(what, options_, [&] {
        TextBody body(text);
        HttpRequest request;
        request.url = root_ + path;
        request.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept:", "Expect:"};
        request.body = &body;
        request.resend = repeat == Repeat::harmless ? Resend::before_an_answer : Resend::never;
        auto attempt = calls_.exchange(request, true, repeat, options_);
        if (!attempt.answer) return attempt;
        if (auto read = read_form_answer(*attempt.answer); !read) {
            const bool passing = read.error().cause == Cause::busy || read.error().cause == Cause::timed_out;
            return Calls::Attempt{tl::unexpected(std::move(read.error())),
                                  passing && repeat == Repeat::harmless};
        }
        return attempt;
    });
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return read_form_answer(*answer);
}

Result<std::string> Client::Files::put(Sending& sending, Part part) {
    FileSlice slice(sending.file, part.offset, part.length);
    slice.on_read = [&](std::uint64_t n) { sending.progress(part.offset + n); };
    bool renewed = false;
    auto answer = calls_.persist(part.what, options_, [&]() -> Calls::Attempt {
        slice.seek(0);
        HttpRequest request;
        request.verb = HttpRequest::Verb::put;
        request.url = part.url;
        request.headers = {"Content-Type: " + content_type_of(sending.file.name()), "Accept:", "Expect:"};
        request.body = &slice;
        request.resend = Resend::before_an_answer;
        request.takes_its_time = true;
        auto attempt = calls_.exchange(request, false, Repeat::harmless, options_);
        if (!attempt.answer || (attempt.answer->status >= 200 && attempt.answer->status < 300))
            return attempt;
        const auto status = attempt.answer->status;
        Calls::Attempt refused{tl::unexpected(storage_failure(*attempt.answer)), storage_may_recover(status)};
        if (status != 403 || !part.renew || renewed) return refused;
        // Most likely the link has expired while other parts went.
        renewed = true;
        auto url = part.renew();
        if (!url) return {tl::unexpected(std::move(url.error())), false};
        part.url = std::move(*url);
        refused.may_repeat = true;
        return refused;
    });
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return std::move(answer->etag);
}

Result<EntityId> Client::Files::through_site(Sending& sending) {
    const bool file = sending.kind == UploadKind::file;
    const auto& request = sending.request;
    const auto what = fmt::format("sending {}", printable(sending.file.name(), 300));
    auto fields = with_auth({{"entity_type", request.type}, {"entity_id", std::to_string(request.id)}});
    if (!fields) return fail(std::move(fields.error()), "{}", what);
    for (auto& field : file_fields(request, sending.file, sending.kind)) fields->push_back(std::move(field));
    FileSlice slice(sending.file, 0, sending.file.size());
    slice.on_read = [&](std::uint64_t n) { sending.progress(n); };
    MultipartBody body(*fields, file ? "file" : "thumb_image", sending.file.name(), slice);
    const auto answer = calls_.persist(what, options_, [&]() -> Calls::Attempt {
        body.seek(0);
        HttpRequest post;
        post.url = root_ + (file ? "/upload/upload_file" : "/upload/publish_thumbnail");
        post.headers = {"Content-Type: multipart/form-data; boundary=" + body.boundary(),
                        "Accept:", "Expect:"};
        post.body = &body;
        post.takes_its_time = true;
        auto attempt = calls_.exchange(post, true, Repeat::never, options_);
        if (attempt.answer)
            if (auto read = read_form_answer(*attempt.answer); !read)
                return {tl::unexpected(std::move(read.error())), false};
        return attempt;
    });
    if (!answer) return tl::unexpected(answer.error());
    return linked(read_form_answer(*answer));
}

Result<void> Client::Files::send_parts(Sending& sending, const std::string& file_name,
                                       const FormAnswer& link) {
    if (link.lines.size() < 5 || link.lines[4].empty())
        return fail(Cause::bad_answer, "the site named no upload to add parts to");
    const FormFields upload{{"upload_type", link.lines[3]},
                            {"filename", file_name},
                            {"timestamp", link.lines[2]},
                            {"upload_id", link.lines[4]}};
    const auto size = sending.file.size();
    const auto parts = (size + part_bytes - 1) / part_bytes;
    std::string etags;
    for (std::uint64_t n = 1; n <= parts; ++n) {
        const auto ask = [&]() -> Result<std::string> {
            auto fields = upload;
            fields.emplace_back("part_number", std::to_string(n));
            auto answer = post_form(fmt::format("asking where part {} of {} goes", n, parts),
                                    "/upload/api_get_upload_link_for_part", fields, Repeat::harmless);
            if (!answer) return tl::unexpected(std::move(answer.error()));
            if (answer->lines.size() < 2 || origin_of(answer->lines[1]).empty())
                return fail(Cause::bad_answer, "the site did not say where part {} goes", n);
            return answer->lines[1];
        };
        auto url = ask();
        if (!url) return tl::unexpected(std::move(url.error()));
        const auto offset = (n - 1) * part_bytes;
        auto etag = put(sending, {fmt::format("storing part {} of {}", n, parts), std::move(*url), ask,
                                  offset, std::min(part_bytes, size - offset)});
        if (!etag) return tl::unexpected(std::move(etag.error()));
        if (etag->empty()) return fail(Cause::bad_answer, "the storage gave no ETag for part {}", n);
        etags += (n > 1 ? "," : "") + *etag;
    }
    if (auto same = sending.file.check_unchanged(); !same) return same;
    auto fields = upload;
    fields.emplace_back("etags", etags);
    auto done =
        post_form("completing the upload", "/upload/api_complete_multipart_upload", fields, Repeat::never);
    if (!done) return tl::unexpected(std::move(done.error()));
    return {};
}

Result<EntityId> Client::Files::link(Sending& sending, const FormAnswer& link) {
    FormFields fields{{"entity_type", sending.request.type},
                      {"entity_id", std::to_string(sending.request.id)},
                      {"upload_link_info", link.text}};
    for (auto& field : file_fields(sending.request, sending.file, sending.kind))
        fields.push_back(std::move(field));
    return linked(post_form("linking the file", "/upload/api_link_file", std::move(fields), Repeat::never));
}

Result<EntityId> Client::Files::through_storage(Sending& sending) {
    const auto& file = sending.file;
    const bool in_parts = file.size() > part_bytes;
    auto link_info = post_form("asking where the file goes", "/upload/api_get_upload_link_info",
                               {{"upload_type", upload_type(sending.kind)},
                                {"filename", file.name()},
                                {"multipart_upload", in_parts ? "True" : "False"}},
                               Repeat::harmless);
    if (!link_info) return tl::unexpected(std::move(link_info.error()));
    if (in_parts) {
        if (auto sent = send_parts(sending, file.name(), *link_info); !sent)
            return tl::unexpected(std::move(sent.error()));
    } else {
        if (link_info->lines.size() < 2 || origin_of(link_info->lines[1]).empty())
            return fail(Cause::bad_answer, "the site did not say where the file goes");
        auto etag = put(sending, {"storing the file", link_info->lines[1], {}, 0, file.size()});
        if (!etag) return tl::unexpected(std::move(etag.error()));
        if (auto same = file.check_unchanged(); !same) return tl::unexpected(std::move(same.error()));
    }
    return link(sending, *link_info);
}

Result<EntityId> Client::Files::upload(const UploadRequest& request) {
    if (request.type.empty() || request.id <= 0)
        return fail(Cause::invalid, "no entity is named that the file belongs to");
    auto file = SentFile::open(request.file);
    if (!file) return tl::unexpected(std::move(file.error()));
    Sending sending{request, *file, kind_of(request.field), 0};
    auto info = calls_.call_as_nobody("info", options_);
    if (!info) return tl::unexpected(std::move(info.error()));
    return goes_to_storage(*info, request.type, request.field) ? through_storage(sending)
                                                               : through_site(sending);
}

Result<std::optional<EntityId>> Client::Files::share(const ShareThumbnailRequest& request) {
    const auto named = [](const std::pair<std::string, EntityId>& entity) {
        return fmt::format("{}_{}", entity.first, entity.second);
    };
    if (request.entities.empty() || request.source.first.empty())
        return fail(Cause::invalid, "no entity is named, or no source");
    std::string entities;
    for (const auto& entity : request.entities) entities += (entities.empty() ? "" : ",") + named(entity);
    auto answer = post_form("sharing it", "/upload/share_thumbnail",
                            {{"entities", entities},
                             {"source_entity", named(request.source)},
                             {"filmstrip_thumbnail", request.filmstrip ? "1" : "False"}},
                            Repeat::never);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (answer->verdict == '2')
        return fail(Cause::busy, "the thumbnail of {} is still being made",
                    printable(named(request.source), 80));
    if (!answer->lines.front().starts_with("1:"))
        return fail(Cause::bad_answer, "the answer says neither an id nor that there is none");
    return attachment_id(*answer);
}

Result<EntityId> Client::upload(const UploadRequest& request, const CallOptions& options) {
    auto id = Files(*calls_, options).upload(request);
    if (id) return id;
    const auto where = request.field.empty() ? std::string() : "." + printable(request.field, 80);
    return fail(std::move(id.error()), "uploading {} to {} {}{}", printable(request.file.string(), 300),
                printable(request.type, 80), request.id, where);
}

Result<std::optional<EntityId>> Client::share_thumbnail(const ShareThumbnailRequest& request,
                                                        const CallOptions& options) {
    auto id = Files(*calls_, options).share(request);
    if (!id) return fail(std::move(id.error()), "sharing a thumbnail");
    return id;
}

}  // namespace sg::site
