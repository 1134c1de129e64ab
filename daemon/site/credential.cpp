#include "site/credential.hpp"

namespace sg::site {
namespace {

struct Complete {
    Result<void> operator()(std::monostate) const {
        return fail(Cause::authentication, "there is no script and key to call as");
    }
    Result<void> operator()(const Script& script) const {
        if (script.name.empty() || script.key.empty())
            return fail(Cause::authentication, "there is no script and key to call as");
        return {};
    }
    Result<void> operator()(const User& user) const {
        if (user.login.empty() || user.password.empty())
            return fail(Cause::authentication, "there is no login and password to call as");
        return {};
    }
    Result<void> operator()(const Session& session) const {
        if (session.token.empty())
            return fail(Cause::authentication, "there is no session token to call with");
        return {};
    }
};

}  // namespace

Result<Credential> make_credential(const CredentialParts& parts) {
    const bool script = !parts.script_name.empty() || !parts.script_key.empty();
    const bool user = !parts.login.empty() || !parts.password.empty();
    const bool session = !parts.session_token.empty();
    if (script + user + session > 1)
        return fail(Cause::invalid, "a script, a login and a session token exclude each other");
    if (!parts.auth_token.empty() && !user)
        return fail(Cause::invalid, "an authentication code needs a login and password");
    if (script) {
        if (parts.script_name.empty() || parts.script_key.empty())
            return fail(Cause::invalid, "a script needs both its name and its key");
        return Script{parts.script_name, parts.script_key};
    }
    if (user) {
        if (parts.login.empty() || parts.password.empty())
            return fail(Cause::invalid, "a login needs a password, and a password a login");
        return User{parts.login, parts.password, parts.auth_token};
    }
    if (session) return Session{parts.session_token};
    return fail(Cause::invalid, "there are no credentials: a script, a login or a session token is needed");
}

Result<void> check_complete(const Credential& credential) { return std::visit(Complete{}, credential); }

}  // namespace sg::site
