#include "legacy/old_config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "legacy/old_config_keys.hpp"
#include "util/nearest.hpp"
#include "util/result.hpp"

namespace sg::legacy {
namespace {

using Kind = ConversionNote::Kind;

std::string scalar(const std::string& text) {
    YAML::Emitter out;
    out << text;
    return out.c_str();
}

std::string reference(const std::string& variable) { return "${" + variable + "}"; }

/// The new file, line by line.
class Page {
public:
    void comment(std::string_view indent, std::string_view text) {
        text_ += fmt::format("{}# {}\n", indent, text);
    }
    void section(std::string_view name) { text_ += fmt::format("\n{}:\n", name); }
    void map(std::string_view indent, std::string_view key) { text_ += fmt::format("{}{}:\n", indent, key); }
    void entry(std::string_view indent, std::string_view key, const std::string& value) {
        text_ += fmt::format("{}{}: {}\n", indent, key, scalar(value));
    }
    void item(std::string_view indent, const std::string& value) {
        text_ += fmt::format("{}- {}\n", indent, scalar(value));
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

/// What stands between the commas, without blanks around it; nothing twice.
std::vector<std::string> parts(std::string list) {
    std::replace(list.begin(), list.end(), '\n', ' ');
    std::vector<std::string> all;
    for (std::size_t from = 0; from <= list.size();) {
        const auto end = std::min(list.find(',', from), list.size());
        auto part = list.substr(from, end - from);
        part.erase(0, std::min(part.find_first_not_of(' '), part.size()));
        part.erase(part.find_last_not_of(' ') + 1);
        from = end + 1;
        if (!part.empty() && std::find(all.begin(), all.end(), part) == all.end()) all.push_back(part);
    }
    return all;
}

class Converter {
public:
    Converter(const IniFile& old, std::string old_name, const IniFile::Environment& environment,
              SecretsAs secrets)
        : old_(old), old_name_(std::move(old_name)), environment_(environment), secrets_(secrets) {}

    Conversion convert() {
        page_.comment("", "Made by `sgeventd import config` from " + old_name_ + ".");
        page_.comment(
            "", "Every key there is, with unit, default and meaning: config/sgeventd.yaml of the package.");
        write_site();
        write_credentials();
        write_collections();
        write_log();
        write_alerts();
        pass_over_the_rest();
        std::stable_sort(out_.notes.begin(), out_.notes.end(),
                         [](const auto& a, const auto& b) { return a.line < b.line; });
        out_.yaml = page_.take();
        return std::move(out_);
    }

private:
    void note(Kind kind, const std::string& where, std::string text) {
        const auto slash = where.find('/');
        const auto* entry =
            slash == std::string::npos ? nullptr : old_.find(where.substr(0, slash), where.substr(slash + 1));
        out_.notes.push_back({kind, where, entry == nullptr ? 0 : entry->line, std::move(text)});
    }

    std::optional<Interpolated> given(const std::string& section, const std::string& key) const {
        const auto* entry = old_.find(section, key);
        if (entry == nullptr || entry->text.empty()) return std::nullopt;
        return old_.interpolated(section, key, environment_);
    }

    /// A value that is no secret, or a reference to a variable that holds it.
    std::optional<std::string> value(const std::string& section, const std::string& key) {
        const auto found = given(section, key);
        if (!found) return std::nullopt;
        if (!found->variable.empty()) return reference(found->variable);
        tell(*found, section + "/" + key);
        return found->text;
    }
    void tell(const Interpolated& found, const std::string& where) {
        if (!found.fault.empty())
            note(Kind::to_do, where,
                 "has been taken as written: the old daemon could not read it, " + found.fault);
        else if (!found.mixed_in.empty())
            note(Kind::changed, where,
                 fmt::format("has {} in it as it is set now: a variable can only be a whole value",
                             fmt::join(found.mixed_in, ", ")));
    }
    std::optional<int> number(const std::string& section, const std::string& key) {
        const auto text = value(section, key);
        if (!text) return std::nullopt;
        int out = 0;
        const auto read = std::from_chars(text->data(), text->data() + text->size(), out);
        if (read.ec == std::errc() && read.ptr == text->data() + text->size()) return out;
        note(Kind::left_out, section + "/" + key, "is not a whole number");
        return std::nullopt;
    }

    void write_site() {
        page_.section("site");
        if (const auto url = value("shotgun", "server"))
            page_.entry("  ", "url", *url);
        else
            note(Kind::to_do, "", "the old file names no server: set site.url");
        page_.entry("  ", "credential", "daemon");
        page_.comment("  ",
                      "Plugins have a credential of their own; the old ones brought it along in their code:");
        page_.comment("  ", "default_plugin_credential: plugins");
        note(Kind::to_do, "",
             "plugins call the site as a script of their own, which the old ones had in their code: add it "
             "under "
             "credentials and as site.default_plugin_credential");
        write_polling();
        if (const auto batch = number("daemon", "max_event_batch_size")) {
            const int size = *batch < 1 ? 500 : std::min(*batch, 500);
            if (size != *batch)
                note(Kind::changed, "daemon/max_event_batch_size",
                     fmt::format("is {}: a page has 1 to 500 events, and a full one is followed at once",
                                 size));
            page_.entry("  ", "page_size", std::to_string(size));
        }
        if (const auto uuid = flag("shotgun", "use_session_uuid"))
            page_.entry("  ", "use_session_uuid", *uuid ? "true" : "false");
        write_proxy();
    }
    void write_polling() {
        if (const auto seconds = number("daemon", "fetch_interval")) {
            const int used = std::clamp(*seconds, 1, 3600);
            if (used != *seconds)
                note(Kind::changed, "daemon/fetch_interval",
                     fmt::format("is {}s, which is the nearest", used));
            page_.comment(
                "  ",
                "As before. Without this line an active site is asked twice a second, an idle one every 5s.");
            page_.entry("  ", "poll_interval", fmt::format("{}s", used));
        }
        if (const auto seconds = number("daemon", "conn_retry_sleep")) {
            const int used = std::clamp(*seconds, 1, 86'400);
            note(Kind::changed, "daemon/conn_retry_sleep",
                 fmt::format("is the longest pause now ({}s): pauses begin with 1s and double", used));
            page_.entry("  ", "retry_longest", fmt::format("{}s", used));
        }
    }
    std::optional<bool> flag(const std::string& section, const std::string& key) {
        auto text = value(section, key);
        if (!text) return std::nullopt;
        std::transform(text->begin(), text->end(), text->begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        if (*text == "1" || *text == "yes" || *text == "true" || *text == "on") return true;
        if (*text == "0" || *text == "no" || *text == "false" || *text == "off") return false;
        note(Kind::left_out, section + "/" + key, "is neither true nor false");
        return std::nullopt;
    }

    void write_proxy() {
        const auto found = given("shotgun", "proxy_server");
        if (!found) return;
        const bool is_secret = found->text.find('@') != std::string::npos;
        if (is_secret && secrets_ != SecretsAs::text && found->variable.empty()) {
            page_.entry("  ", "proxy", reference("SGEVENTD_PROXY"));
            note(Kind::to_do, "shotgun/proxy_server",
                 "holds a password, so it was not copied: put it into the environment variable "
                 "SGEVENTD_PROXY");
        } else if (const auto proxy = value("shotgun", "proxy_server")) {
            page_.entry("  ", "proxy", *proxy);
        }
    }

    void write_credentials() {
        page_.section("credentials");
        page_.comment("  ", "What the daemon itself polls with.");
        page_.map("  ", "daemon");
        if (const auto name = value("shotgun", "name"))
            page_.entry("    ", "script", *name);
        else
            note(Kind::to_do, "", "the old file names no script: set credentials.daemon.script");
        write_key();
    }
    void write_key() {
        if (!given("shotgun", "key"))
            return note(Kind::to_do, "", "the old file has no key: set credentials.daemon.key_file");
        write_secret("shotgun", "key", {"key", "site-key", "SGEVENTD_KEY"});
    }
    struct SecretNames {
        const char *key, *file, *variable;  ///< new ones
    };
    void write_secret(const std::string& section, const std::string& key, const SecretNames& names) {
        const auto secret = given(section, key);
        if (!secret) return;
        const auto where = section + "/" + key;
        if (!secret->variable.empty()) return page_.entry("    ", names.key, reference(secret->variable));
        tell(*secret, where);
        switch (secrets_) {
            case SecretsAs::files:
                out_.secret_files[names.file] = secret->text;
                note(Kind::changed, where,
                     fmt::format("is in a file of its own, {}, that only its owner can read", names.file));
                return page_.entry("    ", fmt::format("{}_file", names.key), names.file);
            case SecretsAs::environment:
                note(Kind::to_do, where,
                     fmt::format("was not copied: put it into the environment variable {}", names.variable));
                return page_.entry("    ", names.key, reference(names.variable));
            case SecretsAs::text:
                return page_.entry("    ", names.key, secret->text);
        }
    }

    void write_collections() {
        page_.section("collections");
        const auto all = parts(value("plugins", "paths").value_or(""));
        for (const auto& path : all) {
            page_.item("  ", path);
            if (!std::filesystem::path(path).is_absolute() && !path.starts_with("${"))
                note(Kind::changed, "plugins/paths",
                     fmt::format(
                         "{} is looked for beside the new configuration, not where the daemon is started",
                         path));
        }
        if (all.empty())
            note(Kind::to_do, "", "the old file names no plugin directories: list them under collections");
        note(
            Kind::to_do, "plugins/paths",
            "Python plugins are not loaded: sgeventd takes the shared libraries (*.so) of these directories");
    }

    void write_log() {
        const auto level = value("daemon", "logging");
        const auto name = level ? level_name(*level) : std::string();
        if (level && name.empty())
            note(Kind::left_out, "daemon/logging", "is none of 10, 20, 30, 40, 50: the level is info");
        if (level == "50")
            note(Kind::changed, "daemon/logging", "is error: sgeventd has no level above that");
        if (!name.empty()) {
            page_.section("plugin_defaults");
            page_.entry("  ", "log_level", name);
        }
        const auto path = value("daemon", "logpath"), file = value("daemon", "logfile");
        if (name.empty() && !file) return;
        page_.section("log");
        if (!name.empty()) page_.entry("  ", "level", name);
        if (file) page_.entry("  ", "file", path ? (std::filesystem::path(*path) / *file).string() : *file);
        if (file && value("daemon", "logmode") == "1") page_.entry("  ", "per_plugin", "true");
        if (file && value("daemon", "timing_log") == "on") page_.entry("  ", "timing", "lines");
    }

    void write_alerts() {
        if (!flag("emails", "enabled").value_or(false)) return;  // then nothing else of it was read
        const auto server = value("emails", "server");
        if (!server)
            return note(Kind::to_do, "", "the old file names no mail server: set alerts.mail.server");
        page_.section("alerts");
        page_.map("  ", "mail");
        page_.entry("    ", "server", *server);
        page_.entry("    ", "port", std::to_string(number("emails", "port").value_or(25)));
        const bool has_login = given("emails", "username").has_value();
        const bool wants_tls = flag("emails", "usetls").value_or(false);
        page_.entry("    ", "tls", wants_tls || has_login ? "starttls" : "none");
        if (has_login && !wants_tls)
            note(
                Kind::to_do, "emails/username",
                "was sent for everybody to read; now it goes over TLS. If the server has none: tls: none and "
                "allow_plain_login: true");
        if (wants_tls && !has_login)
            note(Kind::changed, "emails/usetls", "counts: the old daemon forgot it where there was no login");
        if (const auto user = value("emails", "username")) page_.entry("    ", "user", *user);
        write_secret("emails", "password", {"password", "mail-password", "SGEVENTD_MAIL_PASSWORD"});
        if (const auto from = value("emails", "from")) page_.entry("    ", "from", *from);
        if (const auto to = value("emails", "to")) {
            page_.map("    ", "to");
            for (const auto& address : parts(*to)) page_.item("      ", address);
        }
        if (const auto subject = value("emails", "subject")) page_.entry("    ", "subject", *subject);
    }

    void pass_over_the_rest() {
        const auto& known = keys_carried_over();
        for (const auto& [section, entries] : old_.sections())
            for (const auto& [key, entry] : entries) {
                const auto where = section + "/" + key;
                if (std::find(known.begin(), known.end(), where) != known.end() || section == "DEFAULT")
                    continue;
                const auto row =
                    std::find_if(keys_left_out().begin(), keys_left_out().end(),
                                 [&](const LeftOut& k) { return k.section + '/' + k.key == where; });
                if (row != keys_left_out().end())
                    note(Kind::left_out, where, "has no counterpart: " + row->why);
                else
                    note(Kind::left_out, where, "is not a key of shotgunEvents" + meant(where));
            }
    }
    static std::string meant(const std::string& where) {
        auto names = keys_carried_over();
        for (const auto& row : keys_left_out()) names.push_back(row.section + "/" + row.key);
        const auto near = nearest(where, names);
        return near.empty() ? "" : "; was " + near + " meant?";
    }

    const IniFile& old_;
    const std::string old_name_;
    const IniFile::Environment& environment_;
    const SecretsAs secrets_;
    Page page_;
    Conversion out_;
};

}  // namespace

Conversion convert(const IniFile& old, const std::string& old_name, const IniFile::Environment& environment,
                   SecretsAs secrets) {
    return Converter(old, old_name, environment, secrets).convert();
}

}  // namespace sg::legacy
