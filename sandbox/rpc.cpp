#include "sandbox/rpc.hpp"

#include "sandbox/filter.hpp"
#include "sandbox/read.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

std::string text_member(const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>()
                                                                             : std::string();
}

const EntityDef& entity_of(const Json& params, std::string_view method) {
    const auto type = text_member(params, "type");
    const auto* def = find_entity(type);
    if (def == nullptr) refuse(fault_invalid, "API {}() Entity type '{}' doesn't exist.", method, type);
    return *def;
}

Id id_of(const Json& params, std::string_view method) {
    const auto found = params.find("id");
    if (found == params.end() || !found->is_number_integer())
        refuse(fault_invalid, "API {}() invalid/missing integer 'id'", method);
    return found->get<Id>();
}

std::vector<FieldWrite> fields_of(const Json& params, std::string_view method) {
    std::vector<FieldWrite> out;
    const auto fields = params.find("fields");
    if (fields == params.end() || !fields->is_array())
        refuse(fault_invalid, "API {}() invalid/missing array 'fields'", method);
    for (const auto& field : *fields) {
        const auto name = text_member(field, "field_name");
        if (name.empty())
            refuse(fault_invalid, "API {}() invalid/missing string 'field_name': {}", method, field.dump());
        const auto mode = text_member(field, "multi_entity_update_mode");
        out.push_back({name, field.contains("value") ? field["value"] : Json(), mode.empty() ? "set" : mode});
    }
    return out;
}

/// The answer to a write: `fields` of `record` as `read` shows them.
Json shown_fields(const Record& record, const std::vector<std::string>& fields, const EntityStore& store) {
    Json out{{"type", record.def->type}, {"id", record.id}};
    const RecordView view(record, store);
    for (const auto& name : fields) {
        const auto* field = record.def->field(name);
        if (field == nullptr) continue;
        auto value = view.value(name);
        if (field->type == DataType::entity) value = store.shown(value);
        if (value.is_array())
            for (auto& link : value) link = store.shown(link);
        out[name] = std::move(value);
    }
    return out;
}

const nlohmann::ordered_json& info() {
    static const nlohmann::ordered_json answer{
        {"version", {8, 62, 0}},
        {"full_version", {8, 62, 0, 5112}},
        {"user_authentication_method", "default"},
        {"s3_uploads_enabled", false},
        {"s3_direct_uploads_enabled", false},
        {"s3_enabled_upload_types", nlohmann::ordered_json::object()},
        {"api_max_entities_per_page", 5000},
    };
    return answer;
}

}  // namespace

RpcCall parse_call(const std::string& body) {
    RpcCall call;
    const auto envelope = Json::parse(body, nullptr, false);
    call.method = text_member(envelope, "method_name");
    const auto params = envelope.is_object() ? envelope.value("params", Json::array()) : Json::array();
    if (!params.is_array()) return call;
    if (!params.empty()) call.auth = params[0];
    call.params = params.size() > 1 ? params[1] : Json::object();
    call.entity_type = text_member(call.params, "type");
    call.script = text_member(call.auth, "script_name");
    call.session_uuid = text_member(call.auth, "session_uuid");
    return call;
}

Caller Rpc::authenticate(const Json& auth) {
    Caller caller;
    const auto session = text_member(auth, "session_uuid"), script = text_member(auth, "script_name"),
               login = text_member(auth, "user_login"), token = text_member(auth, "session_token");
    if (!session.empty()) caller.session_uuid = session;
    const auto who = [&](std::string_view type, const char* field, const std::string& name) -> const Record* {
        for (const auto& [id, record] : store_.rows(type))
            if (!record.retired && record.value(field) == name) return &record;
        return nullptr;
    };
    if (!login.empty()) {
        const auto* person = who("HumanUser", "login", login);
        const auto known = passwords_.find(login);
        if (person == nullptr || known == passwords_.end() ||
            known->second != text_member(auth, "user_password"))
            refuse(fault_authentication, "Can't authenticate user '{}'.", login);
        caller.user = {"HumanUser", person->id};
    } else if (!script.empty()) {
        const auto* user = who("ApiUser", "firstname", script);
        const auto known = keys_.find(script);
        if (user == nullptr || known == keys_.end() || known->second != text_member(auth, "script_key"))
            refuse(fault_authentication, "Can't authenticate script '{}'", script);
        caller.user = {"ApiUser", user->id};
        caller.logs_events = user->value("generate_event_log_entries") != false;
    } else if (!token.empty()) {
        refuse(fault_authentication, "Can't authenticate session token ending with '{}'",
               token.substr(token.size() - std::min<std::size_t>(4, token.size())));
    } else {
        refuse(fault_authentication, "Missing or invalid authentication arguments");
    }
    if (const auto sudo = text_member(auth, "sudo_as_login"); !sudo.empty()) {
        const auto* person = who("HumanUser", "login", sudo);
        if (person == nullptr)
            refuse(fault_authentication, "Cannot 'sudo' - unknown or retired user: '{}'", sudo);
        caller.sudo_actual_user = store_.shown(link_to(caller.user.type, caller.user.id));
        caller.user = {"HumanUser", person->id};
        caller.logs_events = true;
    }
    return caller;
}

Json Rpc::create(const Caller& caller, const Json& params, Seconds now) {
    const auto& def = entity_of(params, "create");
    const auto fields = fields_of(params, "create");
    std::vector<std::string> names;
    for (const auto& field : fields) names.push_back(field.field);
    if (const auto more = params.find("return_fields"); more != params.end() && more->is_array())
        for (const auto& name : *more)
            if (name.is_string()) names.push_back(name.get<std::string>());
    if (def.type != "EventLogEntry")
        return shown_fields(writer_.create(caller, def, fields, now), names, store_);
    const auto& row = log_.rows().at(writer_.create_event(caller, fields, now));
    std::string text;
    write_row(text, row, store_, names);
    return Json::parse(text);
}

Json Rpc::update(const Caller& caller, const Json& params, Seconds now) {
    const auto& def = entity_of(params, "update");
    const auto id = id_of(params, "update");
    if (def.type == "EventLogEntry") refuse(fault_crud, "API update() EventLogEntry can not be updated.");
    const auto fields = fields_of(params, "update");
    std::vector<std::string> names;
    for (const auto& field : fields) names.push_back(field.field);
    writer_.update(caller, def, id, fields, now);
    return shown_fields(*store_.find(def.type, id), names, store_);
}

std::string Rpc::results(const RpcCall& call, Seconds now) {
    if (call.method == "info") return info().dump();
    const auto caller = authenticate(call.auth);
    const auto wrapped = [](const std::string& text) { return "{\"results\":" + text + "}"; };
    if (call.method == "read") return wrapped(read(call.params, store_, log_, now));
    if (call.method == "create") return wrapped(create(caller, call.params, now).dump());
    if (call.method == "update") return wrapped(update(caller, call.params, now).dump());
    if (call.method == "delete" || call.method == "revive") {
        const auto& def = entity_of(call.params, call.method);
        if (def.type == "EventLogEntry")
            refuse(fault_crud, "API {}() EventLogEntry can not be deleted.", call.method);
        const auto id = id_of(call.params, call.method);
        const bool done = call.method == "delete" ? writer_.remove(caller, def, id, now)
                                                  : writer_.revive(caller, def, id, now);
        return wrapped(done ? "true" : "false");
    }
    refuse(fault_invalid, "API {}() the sandbox doesn't know this method.", call.method);
}

std::string Rpc::answer(const RpcCall& call, Seconds now) {
    const auto fault = [](int code, const std::string& message) {
        return nlohmann::ordered_json{{"exception", true}, {"message", message}, {"error_code", code}}.dump();
    };
    try {
        return results(call, now);
    } catch (const Refusal& why) {
        return fault(why.code, why.what());
    } catch (const Json::exception& why) {  // a value of a kind that nothing here expected
        return fault(fault_invalid, fmt::format("API {}() {}", call.method, why.what()));
    }
}

}  // namespace sg::sandbox
