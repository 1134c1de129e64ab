#pragma once
// The envelope of `/api3/json`: who asks, for what, and what is said back.

#include <string>
#include <string_view>

#include "sandbox/methods.hpp"

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
    Rpc(EntityStore& store, EventLog& log)
        : store_(store), log_(log), writer_(store, log), authority_(store) {}

    /// The body of the answer; a refused call is a body too, the fault envelope.
    std::string answer(const RpcCall& call, const SiteTime& time);

    Writer& writer() noexcept { return writer_; }
    Authority& authority() noexcept { return authority_; }
    SiteState& state() noexcept { return state_; }

    /// Whether `info` says that files go straight to the storage.
    void set_direct_uploads(bool direct) { direct_uploads_ = direct; }

private:
    std::string results(const RpcCall& call, const SiteTime& time);

    EntityStore& store_;
    EventLog& log_;
    Writer writer_;
    Authority authority_;
    SiteState state_;
    bool direct_uploads_ = true;
};

}  // namespace sg::sandbox
