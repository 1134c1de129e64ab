// Walks a YAML document along the table of keys and gathers everything that is wrong with it.

#include "config/load.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "config/admin.hpp"
#include "config/alerts.hpp"
#include "config/arguments.hpp"
#include "config/credentials.hpp"
#include "config/document.hpp"
#include "config/keys.hpp"
#include "config/text_file.hpp"
#include "config/webhook.hpp"
#include "util/nearest.hpp"

namespace sg::config {
namespace {

constexpr std::size_t largest_file = 4'000'000;

bool is_name(std::string_view text) {
    return !text.empty() && (text[0] < '0' || text[0] > '9') &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
               std::string_view::npos;
}

/// `${NAME}` and what follows it.
struct Reference {
    std::string name;
    std::string rest;
};

std::optional<Reference> reference(std::string_view text) {
    if (!text.starts_with("${")) return std::nullopt;
    const auto end = text.find('}');
    if (end == std::string_view::npos || !is_name(text.substr(2, end - 2))) return std::nullopt;
    return Reference{std::string(text.substr(2, end - 2)), std::string(text.substr(end + 1))};
}

/// Why `url` is not the address of a site, or nothing.
std::optional<std::string> url_fault(const std::string& url) {
    const std::unique_ptr<CURLU, void (*)(CURLU*)> parts(curl_url(), curl_url_cleanup);
    const auto part = [&](CURLUPart which) -> std::optional<std::string> {
        char* text = nullptr;
        if (curl_url_get(parts.get(), which, &text, 0) != CURLUE_OK) return std::nullopt;
        std::string copy(text);
        curl_free(text);
        return copy;
    };
    const bool plain = url.find_first_of(" \t\r\n") == std::string::npos;
    if (!plain || !parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        return "expected an address such as https://studio.shotgrid.autodesk.com";
    const auto scheme = part(CURLUPART_SCHEME);
    if (scheme != "https" && scheme != "http") return "expected an address that begins with https://";
    if (part(CURLUPART_USER) || part(CURLUPART_PASSWORD))
        return "expected no user in the address: credentials have a section of their own";
    if (part(CURLUPART_QUERY) || part(CURLUPART_FRAGMENT))
        return "expected an address that ends with its path";
    return std::nullopt;
}

class Loader {
public:
    Loader(const std::filesystem::path& file, const Environment& environment, Secrets secrets)
        : file_(std::filesystem::absolute(file).lexically_normal()),
          name_(file.string()),
          environment_(environment),
          secrets_(secrets) {}

    tl::expected<Loaded, std::vector<Problem>> load() {
        if (const auto root = document()) {
            walk(*root, "", "", "");
            for (const auto& key : keys()) check_required(key);
            check_credentials();
            check_sections_with_secrets();
            check_references();
        }
        if (problems_.empty()) return Loaded{std::move(config_), std::move(warnings_)};
        std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
            return std::pair(a.line, a.column) < std::pair(b.line, b.column);
        });
        return tl::unexpected(std::move(problems_));
    }

private:
    void problem(const YAML::Mark& at, std::string key, std::string text) {
        problems_.push_back(at_mark(at, std::move(key), std::move(text)));
    }
    Problem at_mark(const YAML::Mark& at, std::string key, std::string text) const {
        const bool known = !at.is_null();
        return {name_, known ? at.line + 1 : 0, known ? at.column + 1 : 0, std::move(key), std::move(text)};
    }

    /// The one map the file holds; nothing if there is none, which has been said then.
    std::optional<YAML::Node> document() {
        auto text = read_text(file_, largest_file, Writers::not_everyone);
        if (!text) {
            problems_.push_back({name_, 0, 0, "", "cannot be read: " + text.error().message});
            return std::nullopt;
        }
        text_ = std::move(*text);
        if (!check_utf8()) return std::nullopt;
        return only_document(
            text_, [this](const YAML::Mark& at, std::string what) { problem(at, "", std::move(what)); });
    }

    bool check_utf8() {
        if (simdjson::validate_utf8(text_)) return true;
        int line = 1;
        for (std::size_t from = 0; from <= text_.size(); ++line) {
            const auto end = std::min(text_.find('\n', from), text_.size());
            if (!simdjson::validate_utf8(text_.data() + from, end - from))
                problems_.push_back({name_, line, 1, "", "expected UTF-8 text"});
            from = end + 1;
        }
        return false;
    }

    /// `pattern` is the path as the table has it, with `*`; `path` as the file has it.
    void walk(const YAML::Node& map, const std::string& pattern, const std::string& path,
              const std::string& chosen) {
        const auto children = children_of(pattern);
        std::set<std::string> seen;
        // What plugins inherit must be known before they do.
        const auto early = [&](const YAML::Node& key) {
            return pattern.empty() && key.IsScalar() && key.Scalar() == "plugin_defaults";
        };
        for (const bool now : {true, false})
            for (const auto& entry : map)
                if (early(entry.first) == now)
                    visit(entry.first, entry.second, pattern, path, chosen, children, seen);
    }

    void visit(const YAML::Node& key, const YAML::Node& value, const std::string& pattern,
               const std::string& path, const std::string& chosen, const std::set<std::string>& children,
               std::set<std::string>& seen) {
        if (!key.IsScalar() || key.Scalar().empty())
            return problem(key.Mark(), path, "expected a key that is text");
        const auto& word = key.Scalar();
        const auto full = join(path, word);
        marks_.emplace(full, key.Mark());
        if (!seen.insert(word).second)
            problem(key.Mark(), full, "is given twice");
        else if (word == "<<")
            problem(key.Mark(), full, "merging with '<<' is not supported: write the keys out");
        else if (children.count("*") != 0)
            enter(value, join(pattern, "*"), full, word);
        else if (children.count(word) != 0)
            enter(value, join(pattern, word), full, chosen);
        else
            unknown(key.Mark(), full, word, children);
    }

    static std::string join(const std::string& pattern, const std::string& word) {
        return pattern.empty() ? word : pattern + "." + word;
    }

    static std::set<std::string> children_of(const std::string& pattern) {
        std::set<std::string> out;
        const auto prefix = pattern.empty() ? pattern : pattern + ".";
        for (const auto& key : keys())
            if (key.name.starts_with(prefix))
                out.insert(key.name.substr(prefix.size(), key.name.find('.', prefix.size()) - prefix.size()));
        return out;
    }

    void unknown(const YAML::Mark& at, const std::string& full, const std::string& word,
                 const std::set<std::string>& children) {
        const auto near = nearest(word, {children.begin(), children.end()});
        problem(at, full, near.empty() ? "unknown key" : fmt::format("unknown key; did you mean {}?", near));
    }

    void enter(const YAML::Node& value, const std::string& pattern, const std::string& full,
               const std::string& chosen) {
        const auto row =
            std::find_if(keys().begin(), keys().end(), [&](const Key& k) { return k.name == pattern; });
        if (row != keys().end()) return read(*row, value, full, chosen);
        if (pattern.ends_with(".*")) make_section(pattern, chosen);
        if (value.IsMap()) return walk(value, pattern, full, chosen);
        if (!value.IsNull()) problem(value.Mark(), full, "expected keys with values");
    }

    void make_section(const std::string& pattern, const std::string& chosen) {
        for (const auto& key : keys())
            if (key.name.starts_with(pattern)) key.slot(config_, chosen);
    }

    void read(const Key& row, const YAML::Node& value, const std::string& full, const std::string& chosen) {
        const Slot slot = row.slot(config_, chosen);
        given_.insert(full);
        Result<void> done;
        if (const auto* list = std::get_if<std::vector<std::filesystem::path>*>(&slot))
            return read_list(value, full, **list);
        if (const auto* texts = std::get_if<std::vector<std::string>*>(&slot))
            return read_texts(value, full, **texts);
        if (const auto* arguments = std::get_if<Arguments*>(&slot))
            done = read_arguments(value, [&](const std::string& text) {
                       return whole_reference(text);
                   }).map([&](Arguments got) { **arguments = std::move(got); });
        else if (auto* traits = std::get_if<EventTraits*>(&slot))
            done = read_traits(value).map([&](EventTraits got) { **traits = std::move(got); });
        else if (value.IsNull())
            done = fail(Cause::invalid, "expected a value: remove the line for the default");
        else if (!value.IsScalar())
            done = fail(Cause::invalid, "expected a single value");
        else if (!is_closed(value) || value.Scalar().find('\n') != std::string::npos)
            done = fail(Cause::invalid, "expected a value on one line: is a quote missing?");
        else
            done = read_scalar(row, slot, value.Scalar());
        if (!done) problem(value.IsNull() ? mark_of(full) : value.Mark(), full, done.error().message);
    }

    /// yaml-cpp accepts a quote that is never closed.
    bool is_closed(const YAML::Node& value) const {
        const auto begin = static_cast<std::size_t>(value.Mark().pos);
        if (value.Tag() != "!" || begin >= text_.size()) return true;
        const char quote = text_[begin];
        if (quote != '\'' && quote != '"') return true;
        for (auto i = begin + 1; i < text_.size(); ++i) {
            if (quote == '"' && text_[i] == '\\')
                ++i;
            else if (text_[i] == quote)
                return true;
        }
        return false;
    }

    Result<void> read_scalar(const Key& row, const Slot& slot, const std::string& text) {
        if (const auto* secret = std::get_if<Secret*>(&slot)) return read_secret(**secret, text);
        std::string value = text;
        const bool is_path = std::holds_alternative<std::filesystem::path*>(slot);
        if (const auto ref = reference(text);
            ref && (ref->rest.empty() || (is_path && ref->rest[0] == '/'))) {
            auto from = variable(ref->name);
            const bool leads_to_secret = row.name.starts_with("credentials.") ||
                                         row.name.starts_with("alerts.") ||
                                         row.name.starts_with("webhook.") || row.name == "admin.token_file";
            if (from)
                value = *from + ref->rest;
            else if (secrets_ == Secrets::read || !leads_to_secret)
                return tl::unexpected(from.error());
        }
        if (is_path) {
            *std::get<std::filesystem::path*>(slot) = resolved(value);
            return value.empty() ? Result<void>(fail(Cause::invalid, "expected a path")) : Result<void>();
        }
        return parse(value, slot, row.range);
    }

    Result<void> read_secret(Secret& secret, const std::string& text) {
        secret = {text, "***"};
        if (secrets_ == Secrets::leave) {
            if (!text.empty()) secret.value = "***";
        } else if (auto from = whole_reference(text)) {
            if (!*from) return tl::unexpected(from->error());
            secret = {**from, text};
        }
        return secret.value.empty() ? Result<void>(fail(Cause::invalid, "expected a value, not an empty one"))
                                    : Result<void>();
    }

    std::optional<Result<std::string>> whole_reference(const std::string& text) const {
        const auto ref = reference(text);
        if (!ref || !ref->rest.empty()) return std::nullopt;
        return variable(ref->name);
    }

    Result<std::string> variable(const std::string& name) const {
        if (auto value = environment_(name)) return *value;
        return fail(Cause::invalid, "expected the environment variable {} to be set", name);
    }

    std::filesystem::path resolved(const std::filesystem::path& path) const {
        return path.empty() ? path : (file_.parent_path() / path).lexically_normal();
    }

    void read_list(const YAML::Node& value, const std::string& full,
                   std::vector<std::filesystem::path>& out) {
        if (!value.IsSequence() || value.size() == 0)
            return problem(value.Mark(), full,
                           "expected a list of directories, such as [/opt/studio/plugins]");
        for (const auto& item : value) {
            if (!item.IsScalar() || item.Scalar().empty()) {
                problem(item.Mark(), full, "expected a directory");
                continue;
            }
            std::string text = item.Scalar();
            if (const auto ref = reference(text); ref && (ref->rest.empty() || ref->rest[0] == '/')) {
                const auto from = variable(ref->name);
                if (!from) {
                    problem(item.Mark(), full, from.error().message);
                    continue;
                }
                text = *from + ref->rest;
            }
            if (std::find(out.begin(), out.end(), resolved(text)) != out.end())
                problem(item.Mark(), full, "this directory is given twice");
            out.push_back(resolved(text));
        }
    }

    /// In place of what stood there, as of the defaults for plugins.
    void read_texts(const YAML::Node& value, const std::string& full, std::vector<std::string>& out) {
        if (!value.IsSequence() || value.size() == 0)
            return problem(value.IsNull() ? mark_of(full) : value.Mark(), full,
                           "expected a list of texts, such as [one, two]");
        out.clear();
        for (const auto& item : value) {
            if (item.IsScalar() && !item.Scalar().empty())
                out.push_back(item.Scalar());
            else
                problem(item.Mark(), full, "expected a text, not an empty one");
        }
    }

    YAML::Mark mark_of(std::string full) const {
        for (;;) {
            if (const auto at = marks_.find(full); at != marks_.end()) return at->second;
            const auto dot = full.rfind('.');
            if (dot == std::string::npos) return YAML::Mark::null_mark();
            full.resize(dot);
        }
    }

    void check_required(const Key& key) {
        if (!key.required) return;
        const auto star = key.name.find('*');
        if (star == std::string::npos) return require(key, key.name);
        for (const auto& name : chosen_names(config_, key.name))
            require(key, key.name.substr(0, star) + name + key.name.substr(star + 1));
    }

    void require(const Key& key, const std::string& full) {
        if (given_.count(full) == 0) problem(mark_of(full), full, "is required: " + key.help);
    }

    void check_credentials() {
        for (auto& [name, credential] : config_.credentials) {
            const auto full = "credentials." + name;
            const auto given = [&](const std::string& key) {
                return given_.count(fmt::format("{}.{}", full, key)) != 0;
            };
            check_credential(credential, given, secrets_, [&](const std::string& key, std::string text) {
                const auto at = key.empty() ? full : fmt::format("{}.{}", full, key);
                problem(mark_of(at), at, std::move(text));
            });
        }
    }

    void check_sections_with_secrets() {
        const auto given = [&](const std::string& full) { return given_.count(full) != 0; };
        const auto tell = [&](const std::string& full, std::string text) {
            problem(mark_of(full), full, std::move(text));
        };
        check_alerts(config_, given, secrets_, tell);
        check_webhook(config_, given, secrets_, tell);
        check_admin(config_, given, secrets_, tell);
    }

    void check_log() {
        if (!config_.log.file.empty()) return;
        const auto file_needed = [&](const std::string& full) {
            if (given_.count(full) != 0) problem(mark_of(full), full, "needs log.file, which is missing");
        };
        if (config_.log.per_plugin) file_needed("log.per_plugin");
        if (config_.log.timing == CallTimings::records) file_needed("log.timing");
    }

    void check_references() {
        check_log();
        auto& site = config_.site;
        while (site.url.ends_with('/')) site.url.pop_back();
        if (given_.count("site.url") != 0)
            if (const auto fault = url_fault(site.url)) problem(mark_of("site.url"), "site.url", *fault);
        check_name("site.credential", site.credential);
        check_name("site.default_plugin_credential", site.default_plugin_credential);
        check_name("plugin_defaults.credential", config_.plugin_defaults.credential);
        for (const auto& [name, plugin] : config_.plugins)
            check_name("plugins." + name + ".credential", plugin.credential);
        if (!site.credential.empty() && site.default_plugin_credential == site.credential)
            warnings_.push_back(
                at_mark(mark_of("site.default_plugin_credential"), "site.default_plugin_credential",
                        "is the daemon's own credential: plugins then write in the daemon's name, "
                        "and cannot tell their own changes from its"));
        check_order("site.retry_first", site.retry_first, "site.retry_longest", site.retry_longest);
        check_order("retries.first", config_.retries.first, "retries.longest", config_.retries.longest);
        for (const auto& directory : config_.ordered_collections)
            if (std::find(config_.collections.begin(), config_.collections.end(), directory) ==
                config_.collections.end())
                problem(mark_of("ordered_collections"), "ordered_collections",
                        fmt::format("expected only directories of collections, not {}", directory.string()));
        check_pauses("plugin_defaults", config_.plugin_defaults);
        for (const auto& [name, plugin] : config_.plugins) check_pauses("plugins." + name, plugin);
    }

    void check_name(const std::string& full, const std::string& credential) {
        if (given_.count(full) == 0 || config_.credentials.count(credential) != 0) return;
        std::vector<std::string> known;
        for (const auto& [name, unused] : config_.credentials) known.push_back(name);
        const auto near = nearest(credential, known);
        problem(mark_of(full), full,
                fmt::format("expected the name of a credential{}",
                            near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }

    void check_pauses(const std::string& section, const PluginSettings& plugin) {
        if (given_.count(section + ".retry_first") == 0 && given_.count(section + ".retry_longest") == 0)
            return;
        check_order(section + ".retry_first", plugin.retry_first.value_or(config_.retries.first),
                    section + ".retry_longest", plugin.retry_longest.value_or(config_.retries.longest));
    }

    void check_order(const std::string& first, std::chrono::milliseconds a, const std::string& longest,
                     std::chrono::milliseconds b) {
        if (a > b)
            problem(mark_of(given_.count(first) != 0 ? first : longest), first,
                    fmt::format("expected at most {}, which is {}", longest, duration_text(b)));
    }

    const std::filesystem::path file_;
    const std::string name_;  // as the operator wrote it
    const Environment& environment_;
    const Secrets secrets_;
    std::string text_;
    Config config_;
    std::vector<Problem> problems_, warnings_;
    std::set<std::string> given_;
    std::map<std::string, YAML::Mark> marks_;  // of every key the file has
};

}  // namespace

std::string Problem::to_string() const {
    std::string out = file;
    if (line > 0) out += fmt::format(":{}:{}", line, column);
    if (!key.empty()) out += ": " + key;
    return out + ": " + text;
}

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

tl::expected<Loaded, std::vector<Problem>> load(const std::filesystem::path& file,
                                                const Environment& environment, Secrets secrets) {
    return Loader(file, environment, secrets).load();
}

}  // namespace sg::config
