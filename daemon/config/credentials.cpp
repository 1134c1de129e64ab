#include "config/credentials.hpp"

#include <fmt/format.h>

#include "config/text_file.hpp"

namespace sg::config {
namespace {

constexpr std::size_t largest_secret = 65'536;

/// A way to say who calls, and the secret that goes with it.
struct Kind {
    const char* who;  ///< empty: the secret says it alone
    std::string Credential::*name;
    const char *secret, *file;
    Secret Credential::*value;
    std::filesystem::path Credential::*path;
};
constexpr Kind kinds[] = {
    {"script", &Credential::script, "key", "key_file", &Credential::key, &Credential::key_file},
    {"user", &Credential::user, "password", "password_file", &Credential::password,
     &Credential::password_file},
    {"", nullptr, "session_token", "session_token_file", &Credential::session_token,
     &Credential::session_token_file}};

}  // namespace

Result<Secret> secret_in(const std::filesystem::path& file) {
    auto text = read_text(file, largest_secret, Writers::not_everyone);
    if (!text) return fail(Cause::invalid, "{}: {}", file.string(), text.error().message);
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    if (text->empty()) return fail(Cause::invalid, "{}: is empty", file.string());
    return Secret{std::move(*text), ""};
}

void check_credential(Credential& credential, const std::function<bool(const std::string&)>& given,
                      Secrets secrets, const std::function<void(const std::string&, std::string)>& problem) {
    int found = 0;
    for (const auto& kind : kinds) {
        const bool inside = given(kind.secret), file = given(kind.file), named = *kind.who != '\0';
        const bool wanted = named ? given(kind.who) : inside || file;
        if (named && wanted && (credential.*kind.name).empty())
            problem(kind.who, "expected a name, not an empty one");
        if (wanted && inside == file)
            problem("",
                    fmt::format("expected {} or {}{}", kind.secret, kind.file, inside ? ", not both" : ""));
        else if (wanted && file && !(credential.*kind.path).empty()) {
            auto secret = secrets == Secrets::leave ? Secret{"***", "***"} : secret_in(credential.*kind.path);
            if (secret)
                credential.*kind.value = std::move(*secret);
            else
                problem(kind.file, secret.error().message);
        }
        if (!wanted && (inside || file))
            problem(inside ? kind.secret : kind.file,
                    fmt::format("goes with {}, which is missing", kind.who));
        found += wanted || inside || file ? 1 : 0;
    }
    if (given("auth_token") && !given("user")) problem("auth_token", "goes with user, which is missing");
    if (found == 0 && !given("auth_token")) problem("", "expected a script, a user or a session_token");
    if (found > 1) problem("", "expected one of script, user and session_token");
}

}  // namespace sg::config
