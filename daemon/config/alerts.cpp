#include "config/alerts.hpp"

#include <fmt/format.h>

#include "config/credentials.hpp"
#include "util/mail_address.hpp"

namespace sg::config {
namespace {

constexpr const char* an_address = "expected an address such as td@example.com";

class Check {
public:
    Check(Config& config, const std::function<bool(const std::string&)>& given, Secrets secrets,
          const std::function<void(const std::string&, std::string)>& problem)
        : config_(config), given_(given), secrets_(secrets), problem_(problem) {}

    void mail() {
        auto& mail = config_.alerts.mail;
        if (!given_("alerts.mail.server")) {
            for (const char* key : {"from", "to", "user", "password", "password_file"})
                if (given_(std::string("alerts.mail.") + key))
                    return problem_(std::string("alerts.mail.") + key, "goes with server, which is missing");
            return;
        }
        // It becomes part of a URL.
        if (mail.server.empty() || mail.server.find_first_of(" \t/@?#%\\") != std::string::npos)
            problem_("alerts.mail.server", "expected the name or address of a mail server");
        if (!is_mail_address(mail.from))
            problem_(given_("alerts.mail.from") ? "alerts.mail.from" : "alerts.mail",
                     missing("from", mail.from));
        if (mail.to.empty()) problem_("alerts.mail", std::string("to is missing: ") + an_address);
        addresses("alerts.mail.to", mail.to);
        if (mail.subject.find_first_of("\r\n") != std::string::npos)
            problem_("alerts.mail.subject", "expected one line");
        login(mail);
    }

    void hook() {
        auto& hook = config_.alerts.hook;
        const bool inside = given_("alerts.hook.url"), file = given_("alerts.hook.url_file");
        if (inside && file) return problem_("alerts.hook", "expected url or url_file, not both");
        if (file) read("alerts.hook.url_file", hook.url_file, hook.url);
        if (secrets_ == Secrets::leave || hook.url.value.empty()) return;
        const auto& url = hook.url.value;
        // A message that quoted it would tell the secret.
        if (!(url.starts_with("https://") || url.starts_with("http://")) ||
            url.find_first_of(" \t\r\n") != std::string::npos)
            problem_(file ? "alerts.hook.url_file" : "alerts.hook.url",
                     "expected an address that begins with https://");
    }

    void command() {
        const auto& command = config_.alerts.command;
        if (!command.empty() && !std::filesystem::path(command.front()).is_absolute())
            problem_("alerts.command", "expected the whole path of the program");
    }

    void plugin(const std::string& section, const PluginSettings& plugin) {
        const auto& to = plugin.alerts_to;
        if (!given_(section + ".alerts_to")) return;
        if (to.size() == 1 && (to.front() == "all" || to.front() == "none")) return;
        addresses(section + ".alerts_to", to);
    }

private:
    static std::string missing(const std::string& key, const std::string& value) {
        return value.empty() ? key + " is missing: " + an_address : an_address;
    }

    void addresses(const std::string& full, const std::vector<std::string>& to) {
        for (const auto& address : to)
            if (!is_mail_address(address)) problem_(full, fmt::format("'{}': {}", address, an_address));
    }

    void login(AlertMail& mail) {
        const bool inside = given_("alerts.mail.password"), file = given_("alerts.mail.password_file");
        if (mail.user.empty()) {
            if (inside || file) problem_("alerts.mail", "a password goes with user, which is missing");
            return;
        }
        if (inside == file)
            problem_("alerts.mail",
                     fmt::format("expected password or password_file{}", inside ? ", not both" : ""));
        else if (file)
            read("alerts.mail.password_file", mail.password_file, mail.password);
        if (mail.tls == MailTls::none && !mail.allow_plain_login)
            problem_("alerts.mail.user",
                     "a login without TLS shows the password to anybody on the way: set tls, or "
                     "allow_plain_login: true");
    }

    void read(const char* full, const std::filesystem::path& file, Secret& to) {
        auto secret = secrets_ == Secrets::leave ? Secret{"***", "***"} : secret_in(file);
        if (secret)
            to = std::move(*secret);
        else
            problem_(full, secret.error().message);
    }

    Config& config_;
    const std::function<bool(const std::string&)>& given_;
    const Secrets secrets_;
    const std::function<void(const std::string&, std::string)>& problem_;
};

}  // namespace

void check_alerts(Config& config, const std::function<bool(const std::string&)>& given, Secrets secrets,
                  const std::function<void(const std::string&, std::string)>& problem) {
    Check check(config, given, secrets, problem);
    check.mail();
    check.hook();
    check.command();
    check.plugin("plugin_defaults", config.plugin_defaults);
    for (const auto& [name, plugin] : config.plugins) check.plugin("plugins." + name, plugin);
}

}  // namespace sg::config
