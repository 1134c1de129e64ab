#pragma once
// Who may ask: scripts, people and their sessions.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sandbox/write.hpp"

namespace sg::sandbox {

/// Threads: none of its own; the site's lock guards it.
class Authority {
public:
    explicit Authority(const EntityStore& store) : store_(store) {}

    void set_key(const std::string& script, const std::string& key) { keys_[script] = key; }
    void remove_key(const std::string& script) { keys_.erase(script); }
    void set_password(const std::string& login, const std::string& password) { passwords_[login] = password; }
    void set_permissions(const std::string& script, Permissions may) {
        permissions_[script] = may;
        ++changes_;
    }
    /// From now on this person needs `code` as well; it is good for one login. Empty: no longer.
    void require_code(const std::string& login, const std::string& code) {
        codes_[login] = code;
        ++changes_;
    }
    /// Every login with a password is this fault from now on: 108 (single sign-on) or 110 (Autodesk
    /// Identity). 0: no longer.
    void refuse_passwords(int fault) noexcept {
        password_fault_ = fault;
        ++changes_;
    }
    /// How people log in, as `info` tells it.
    const char* method() const noexcept {
        return password_fault_ == 108 ? "saml2" : password_fault_ == 110 ? "oxygen" : "default";
    }

    /// Who stands behind an auth block. Throws `Refusal` with the fault 102, 106, 108 or 110.
    Caller authenticate(const Json& auth);
    /// The session of `caller`: the one it has, or a new one.
    std::string session_for(const Caller& caller);
    /// Whose session it is; nobody's (type empty) if there is none.
    LinkKey session_user(const std::string& token) const;
    /// All tokens given out so far are no good any more.
    void expire_sessions() {
        sessions_.clear();
        ++changes_;
    }

    /// Permissions, codes, sessions: all but keys and passwords, which the data file has already.
    std::string as_text() const;
    /// An empty text changes nothing. False for one that `as_text` did not make.
    bool apply_text(std::string_view text);
    /// Grows with each change of what `as_text` tells.
    std::uint64_t changes() const noexcept { return changes_; }

private:
    const Record* who(std::string_view type, const char* field, const std::string& name) const;
    Caller person(const Json& auth, const std::string& login);
    Caller script(const Json& auth, const std::string& name);
    void sudo(Caller& caller, const std::string& login);

    const EntityStore& store_;
    std::map<std::string, std::string> keys_, passwords_, codes_;
    std::map<std::string, Permissions> permissions_;
    std::map<std::string, LinkKey> sessions_;
    std::uint64_t sessions_made_ = 0;
    std::uint64_t changes_ = 0;
    int password_fault_ = 0;
};

/// A text member of an object; empty where there is none.
std::string text_member(const Json& object, const char* key);

}  // namespace sg::sandbox
