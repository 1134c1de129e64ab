#include "sandbox/rpc.hpp"

#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

nlohmann::ordered_json info(const char* authentication, bool direct_uploads) {
    using Object = nlohmann::ordered_json;
    return {
        {"version", {8, 62, 0}},
        {"full_version", {8, 62, 0, 5112}},
        {"user_authentication_method", authentication},
        {"s3_uploads_enabled", direct_uploads},
        {"s3_direct_uploads_enabled", direct_uploads},
        {"s3_enabled_upload_types", direct_uploads ? Object{{"*", Object::array({"*"})}} : Object::object()},
        {"api_max_entities_per_page", 5000},
    };
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

std::string Rpc::results(const RpcCall& call, const SiteTime& time) {
    if (call.method == "info") return info(authority_.method(), direct_uploads_).dump();
    const auto caller = authority_.authenticate(call.auth);
    const auto known = methods().find(call.method);
    if (known == methods().end())
        refuse(fault_invalid, "API {}() the sandbox doesn't know this method.", call.method);
    return "{\"results\":" +
           known->second(
               {call.method, call.params, caller, time, store_, log_, writer_, state_, authority_}) +
           "}";
}

std::string Rpc::answer(const RpcCall& call, const SiteTime& time) {
    const auto fault = [](int code, const std::string& message) {
        return nlohmann::ordered_json{{"exception", true}, {"message", message}, {"error_code", code}}.dump(
            -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    };
    try {
        return results(call, time);
    } catch (const Refusal& why) {
        return fault(why.code, why.what());
    } catch (const Json::exception& why) {  // a value of a kind that nothing here expected
        return fault(fault_invalid, fmt::format("API {}() {}", call.method, why.what()));
    }
}

}  // namespace sg::sandbox
