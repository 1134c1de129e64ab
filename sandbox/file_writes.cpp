// What becomes of a file once its bytes are there: attachments, fields, thumbnails, and their event rows.

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include "sandbox/files.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

using Meta = nlohmann::ordered_json;

constexpr const char* placeholder = "/images/status/transient/thumbnail_pending.png";

Id id_text(std::string_view text) {
    Id n = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? n : 0;
}

/// The attachment behind a value of a file or image field; null where there is none.
Json attachment_in(const Json& value) {
    if (value.is_object()) return value.value("id", Json());
    if (!value.is_string()) return nullptr;
    const auto& url = value.get_ref<const std::string&>();
    const auto id = id_text(std::string_view(url).substr(url.rfind('/') + 1));
    return id > 0 ? Json(id) : Json();
}

LinkKey entity_in(std::string_view text) {
    const auto bar = text.rfind('_');
    if (bar == std::string_view::npos) return {};
    return {std::string(text.substr(0, bar)), id_text(text.substr(bar + 1))};
}

Meta change_of(const Record& record, const std::string& field, std::string_view data_type, Meta before,
               Meta after) {
    return {{"type", "attribute_change"},   {"attribute_name", field},      {"entity_type", record.def->type},
            {"entity_id", record.id},       {"field_data_type", data_type}, {"old_value", std::move(before)},
            {"new_value", std::move(after)}};
}

/// A file field's value as an event row shows it.
Meta in_event(const Json& value) {
    const auto id = attachment_in(value);
    if (id.is_null()) return nullptr;
    return {{"attachment_id", id},
            {"attachment_type", "upload"},
            {"attachment_uuid", fmt::format("00000000-0000-4000-8000-{:012x}", id.get<Id>())},
            {"display_name", value.value("name", "")},
            {"content_type", value.value("content_type", "")},
            {"icon_url", "/images/filetypes/filetype_icon_misc.png"},
            {"icon_class", "icon_misc"},
            {"url", value.value("url", "")}};
}

}  // namespace

Id Writer::put(const Caller& caller, Record& record, const std::string& field, Json value,
               nlohmann::ordered_json meta, Seconds now) {
    record.fields[field] = std::move(value);
    record.fields["updated_at"] = iso_text(now);
    record.fields["updated_by"] =
        caller.user.type.empty() ? Json() : link_to(caller.user.type, caller.user.id);
    return log_row(caller, record, "Change", field, std::move(meta), now);
}

std::string Files::link_file(const Caller& caller, const Form& form, Seconds now) {
    // The upload is the one that the whole answer to the first step tells of, in its fifth line.
    const auto info = form.get("upload_link_info");
    std::size_t at = 0;
    for (int line = 0; line < 4 && at != std::string::npos; ++line) {
        at = info.find('\n', at);
        if (at != std::string::npos) ++at;
    }
    const auto id = at == std::string::npos ? std::string() : info.substr(at, info.find('\n', at) - at);
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) refuse(fault_invalid, "upload_link_info tells of no upload.");
    auto& upload = found->second;
    if (!upload.whole) refuse(fault_invalid, "Nothing has been stored for this upload, or not all of it.");
    Arrival arrival;
    for (const auto& [number, part] : upload.parts) arrival.content.add(part.bytes);
    arrival.name = upload.filename;
    arrival.content_type = upload.content_type;
    arrival.thumbnail = upload.type == "Thumbnail";
    auto answer = arrive(caller, form, std::move(arrival), now);
    uploads_.erase(found);
    return answer;
}

std::string Files::upload_file(const Caller& caller, const Form& form, bool thumbnail, Seconds now) {
    const auto* const field = thumbnail ? "thumb_image" : "file";
    const auto file = std::ranges::find(form.files, field, &FormFile::field);
    if (file == form.files.end() || file->bytes.length == 0)
        refuse(fault_invalid, "There is no file in '{}', or it is empty.", field);
    Arrival arrival;
    arrival.content.add(file->bytes);
    arrival.name = file->name;
    arrival.content_type = file->content_type;
    arrival.thumbnail = thumbnail;
    return arrive(caller, form, std::move(arrival), now);
}

std::string Files::arrive(const Caller& caller, const Form& form, Arrival arrival, Seconds now) {
    const auto type = form.get("entity_type");
    auto* record = store_.find(type, id_text(form.get("entity_id")));
    if (record == nullptr || record->retired)
        refuse(fault_crud, "Entity of type [{}] with id={} does not exist.", type, form.get("entity_id"));
    auto field = form.get("field_name");
    if (arrival.thumbnail) field = form.get("filmstrip") == "True" ? "filmstrip_image" : "image";
    const auto* def = field.empty() ? nullptr : record->def->field(field);
    const auto wanted = arrival.thumbnail ? DataType::image : DataType::url;
    if (!field.empty() && (def == nullptr || (def->type != wanted && def->type != DataType::multi_entity)))
        refuse(fault_invalid, "{}.{} doesn't exist, or holds no files.", type, field);
    const auto id = attach(caller, *record, form, arrival, now);
    record = store_.find(type, record->id);
    if (arrival.thumbnail)
        set_thumbnail(caller, *record, field, id, now);
    else if (!field.empty())
        set_file(caller, *record, field, id, now);
    return fmt::format("1:{}\n", id);
}

Id Files::attach(const Caller& caller, Record& record, const Form& form, const Arrival& arrival,
                 Seconds now) {
    const auto* def = store_.schema().find("Attachment");
    if (def == nullptr) refuse(fault_invalid, "the schema of this site has no Attachment.");
    const auto shown = form.get("display_name");
    const auto name = shown.empty() ? arrival.name : shown;
    std::vector<FieldWrite> fields{{"display_name", name}, {"filename", arrival.name}};
    if (!arrival.thumbnail && form.get("field_name").empty())
        fields.push_back({"attachment_links", Json::array({link_to(record.def->type, record.id)})});
    const auto project =
        record.def->type == "Project" ? link_to("Project", record.id) : record.value("project");
    if (!project.is_null()) fields.push_back({"project", project});
    auto quiet = caller;  // a thumbnail's own row is the change of the field that shows it
    quiet.logs_events = caller.logs_events && !arrival.thumbnail;
    auto& made = rpc_.writer().create(quiet, *def, fields, now);
    const auto dot = arrival.name.rfind('.');
    const auto size = arrival.content.size();
    made.fields["file_size"] = size;
    made.fields["original_fname"] = arrival.name;
    made.fields["file_extension"] = dot == std::string::npos ? Json() : Json(arrival.name.substr(dot + 1));
    files_[made.id] = {arrival.content, name, arrival.content_type,
                       fmt::format("\"file-{}-{:x}\"", made.id, size)};
    if (tell_) tell_(made.id, files_[made.id]);
    made.fields["this_file"] = file_value(made.id);
    return made.id;
}

Json Files::file_value(Id attachment) const {
    const auto& file = files_.at(attachment);
    return {{"type", "Attachment"},  {"id", attachment},
            {"name", file.name},     {"content_type", file.content_type},
            {"link_type", "upload"}, {"url", fmt::format("{}/file_serve/attachment/{}", base_, attachment)}};
}

void Files::set_file(const Caller& caller, Record& record, const std::string& field, Id attachment,
                     Seconds now) {
    auto& writer = rpc_.writer();
    if (record.def->field(field)->type == DataType::multi_entity) {
        writer.update(caller, *record.def, record.id,
                      {{field, Json::array({link_to("Attachment", attachment)}), "add"}}, now);
        return;
    }
    const auto value = file_value(attachment);
    auto meta = change_of(record, field, "url", in_event(record.value(field)), in_event(value));
    writer.put(caller, record, field, value, std::move(meta), now);
}

/// Two rows, as the site makes them: the placeholder first, then the picture.
void Files::set_thumbnail(const Caller& caller, Record& record, const std::string& field, Id attachment,
                          Seconds now) {
    const auto before = attachment_in(record.value(field));
    auto meta = change_of(record, field, "image", before, attachment);
    meta["is_transient"] = true;
    rpc_.writer().put(caller, record, field, base_ + placeholder, std::move(meta), now);
    held_.push_back({caller, {record.def->type, record.id}, field, attachment});
    if (!hold_) hold_thumbnails(false, now);
}

void Files::hold_thumbnails(bool hold, Seconds now) {
    hold_ = hold;
    if (hold) return;
    for (const auto& held : std::exchange(held_, {})) {
        auto* record = store_.find(held.entity.type, held.entity.id);
        if (record == nullptr) continue;
        auto meta = change_of(*record, held.field, "image", nullptr, held.attachment);
        meta["is_transient"] = false;
        rpc_.writer().put(held.caller, *record, held.field,
                          fmt::format("{}/file_serve/thumbnail/{}", base_, held.attachment), std::move(meta),
                          now);
    }
}

std::string Files::share_thumbnail(const Caller& caller, const Form& form, Seconds now) {
    const auto existing = [&](std::string_view text) -> Record& {
        const auto key = entity_in(text);
        auto* record = store_.find(key.type, key.id);
        if (record == nullptr || record->retired) refuse(fault_invalid, "There is no entity '{}'.", text);
        return *record;
    };
    const std::string field = form.get("filmstrip_thumbnail") == "1" ? "filmstrip_image" : "image";
    const auto image = existing(form.get("source_entity")).value(field);
    if (image.is_string() && image.get_ref<const std::string&>().ends_with(placeholder)) return "2\n";
    std::vector<Record*> targets;
    const auto list = form.get("entities");
    for (std::string_view rest = list; !rest.empty();) {
        const auto one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        targets.push_back(&existing(one));
        if (targets.back()->def->field(field) == nullptr)
            refuse(fault_invalid, "{} has no {}.", targets.back()->def->type, field);
    }
    if (targets.empty()) refuse(fault_invalid, "entities is missing.");
    const auto id = attachment_in(image);
    for (auto* record : targets) {
        auto meta = change_of(*record, field, "image", attachment_in(record->value(field)), id);
        meta["is_transient"] = false;
        rpc_.writer().put(caller, *record, field, image, std::move(meta), now);
    }
    return id.is_null() ? "1:\n" : fmt::format("1:{}\n", id.get<Id>());
}

}  // namespace sg::sandbox
