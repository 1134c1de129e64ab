#pragma once
// The envelope of `/api3/json`: who asks, for what, and what is said back.

#include <string>
#include <string_view>

#include "sandbox/write.hpp"

namespace sg::sandbox {

/// What was read of a request's body, for the journal and for choosing faults.
struct RpcCall {
    std::string method;  ///< empty: the body was not an envelope
    std::string entity_type;
    std::string script;
    std::string session_uuid;
    Json auth;
    Json params;
};

RpcCall parse_call(const std::string& body);

/// The site behind the envelope.
///
/// Threads: none of its own; the site's lock guards it.
class Rpc {
public:
    Rpc(EntityStore& store, EventLog& log) : store_(store), log_(log), writer_(store, log) {}

    /// The body of the answer; a refused call is a body too, the fault envelope.
    std::string answer(const RpcCall& call, Seconds now);

    /// Script keys, by script name.
    void set_key(const std::string& script, const std::string& key) { keys_[script] = key; }
    void remove_key(const std::string& script) { keys_.erase(script); }
    void set_password(const std::string& login, const std::string& password) { passwords_[login] = password; }

    Writer& writer() noexcept { return writer_; }

private:
    std::string results(const RpcCall& call, Seconds now);
    Caller authenticate(const Json& auth);
    Json create(const Caller& caller, const Json& params, Seconds now);
    Json update(const Caller& caller, const Json& params, Seconds now);

    EntityStore& store_;
    EventLog& log_;
    Writer writer_;
    std::map<std::string, std::string> keys_, passwords_;
};

}  // namespace sg::sandbox
