#pragma once
// Who calls the site.

#include <string>
#include <variant>

#include "util/result.hpp"

namespace sg::site {

/// A script of the site and its key, sent exactly as they are.
struct Script {
    std::string name;
    std::string key;
};

/// A person. The code of a second factor is good for one call: trade it for a session, see `log_in`.
struct User {
    std::string login;
    std::string password;
    std::string auth_token;  ///< the code of the second factor; empty: none
};

/// A session that somebody has opened before.
struct Session {
    std::string token;
};

/// Exactly one of these. With none of them only `info` can be called.
using Credential = std::variant<std::monostate, Script, User, Session>;

/// Who calls, and in whose name: empty is their own.
struct Caller {
    Credential credential;
    std::string sudo_as_login{};
};

/// Credentials as people write them down, in any combination; empty is absent.
struct CredentialParts {
    std::string script_name, script_key;
    std::string login, password, auth_token;
    std::string session_token;
};

/// The one credential that the parts make. Errors: `invalid`: half of a pair, two kinds at once, a second
/// factor without a person, nothing at all. No text holds a secret.
Result<Credential> make_credential(const CredentialParts& parts);

/// That everything a call needs is there. Errors: `authentication`, naming what is missing.
Result<void> check_complete(const Credential& credential);

}  // namespace sg::site
