#include "alerts/alerts.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "util/mail_address.hpp"

namespace sg::alerts {
namespace {

/// A line that says that what an earlier one told of is over.
struct End {
    std::string_view begin, end;
};
constexpr std::array ends{End{"SITE-DOWN", "SITE-BACK"}, End{"SITE-REFUSED", "SITE-BACK"},
                          End{"SITE-QUIET", "SITE-QUIET-OVER"}, End{"LANE-HALTED", "LANE-RESUMED"},
                          End{"PLUGIN-REFUSED", "PLUGIN-READY"}, End{"PLUGIN-GONE", "PLUGIN-READY"},
                          End{"HOST-DIED", "PLUGIN-RECOVERED"},
                          End{"COLLECTION-UNREADABLE", "COLLECTION-READABLE"},
                          End{"STATE-UNSAVED", "STATE-SAVED"}, End{"STATE-BEHIND", "STATE-CAUGHT-UP"},
                          // With a level of warning:
                          End{"SITE-LOST", "SITE-BACK"}, End{"CLOCK-SKEW", "CLOCK-SKEW-OVER"},
                          End{"GAPS-MANY", "GAPS-FEWER"}, End{"LANE-HELD", "LANE-FREE"}};

/// Less than an error to the daemon, which goes on; a person will want to know.
constexpr std::string_view stopped_plugin = "PLUGIN-GONE";

std::string code_of(std::string_view text) {
    if (!text.starts_with('[')) return {};
    const auto end = text.find(']');
    const auto code = text.substr(1, end == std::string_view::npos ? 0 : end - 1);
    const bool is_code = !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    return is_code ? std::string(code) : std::string();
}

/// Whom a line is about: its logger's plugin, or the first field of that name.
std::string plugin_of(std::string_view logger, std::string_view text) {
    if (logger.starts_with("plugin.")) return std::string(logger.substr(7));
    constexpr std::string_view field = " plugin=";
    const auto at = text.find(field);
    if (at == std::string_view::npos) return {};
    const auto value = text.substr(at + field.size());
    return std::string(value.substr(0, value.find_first_of(" \n")));
}

}  // namespace

Result<Recipients> Recipients::parse(const nlohmann::json& value) {
    Recipients out;
    if (value == "all") return out;
    out.who = Who::nobody;
    if (value == "none") return out;
    if (!value.is_array()) return fail(Cause::invalid, "expected all, none or a list of addresses");
    for (const auto& one : value) {
        const auto address = one.is_string() ? one.get<std::string>() : one.dump();
        if (!is_mail_address(address)) return fail(Cause::invalid, "'{}' is no address", address);
        out.addresses.push_back(address);
    }
    std::sort(out.addresses.begin(), out.addresses.end());
    out.addresses.erase(std::unique(out.addresses.begin(), out.addresses.end()), out.addresses.end());
    if (!out.addresses.empty()) out.who = Who::addresses;
    return out;
}

Alerts::Alerts(Options options, Clock& clock, Logger& log)
    : clock_(clock), log_(log), options_(std::move(options)) {
    const auto channel = [&](const char* name, std::unique_ptr<Sender> sender) {
        Channel::Options to;
        to.name = name;
        to.pace = options_.pace;
        to.attempts = options_.attempts;
        return std::make_unique<Channel>(std::move(to), std::move(sender), clock, log);
    };
    if (options_.mail)
        channels_.push_back(channel("mail", make_mail_sender(*options_.mail, options_.origin)));
    if (options_.mail) mail_ = channels_.back().get();
    if (options_.hook)
        channels_.push_back(channel("hook", make_hook_sender(*options_.hook, options_.origin)));
    if (options_.command)
        channels_.push_back(channel("command", make_command_sender(*options_.command, options_.origin)));
}

Alerts::~Alerts() = default;

void Alerts::line(LogLevel level, const std::string& logger, std::string text) {
    Alert alert;
    alert.code = code_of(text);
    if (channels_.empty() || alert.code.starts_with("ALERT")) return;
    alert.plugin = plugin_of(logger, text);
    if (!matters(level, alert.code, alert.plugin)) return;
    const auto recipients = recipients_of(alert.plugin);
    if (recipients.who == Recipients::Who::nobody) return;
    alert.when = clock_.utc();
    alert.level = level;
    alert.logger = logger;
    alert.text = std::move(text);
    static const std::vector<std::string> nobody_by_name;
    for (const auto& channel : channels_)
        channel->add(alert, channel.get() == mail_ ? recipients.addresses : nobody_by_name);
}

void Alerts::configure(const Options& options) {
    std::lock_guard lock(mutex_);
    options_.level = options.level;
    options_.to = options.to;
    options_.plugins = options.plugins;
    options_.others = options.others;
}

/// Keeps what has begun, so that its end is told of, and no other.
bool Alerts::matters(LogLevel level, const std::string& code, const std::string& plugin) {
    std::lock_guard lock(mutex_);
    bool tell = level >= options_.level || code == stopped_plugin;
    for (const auto& [begin, end] : ends) {
        if (tell && code == begin) open_.emplace(begin, plugin);
        if (code == end && open_.erase({std::string(begin), plugin}) > 0) tell = true;
    }
    return tell;
}

Recipients Alerts::recipients_of(const std::string& plugin) const {
    std::lock_guard lock(mutex_);
    auto recipients = chosen_for(plugin);
    if (recipients.who == Recipients::Who::all) recipients.addresses = options_.to;
    return recipients;
}

/// With the mutex held.
Recipients Alerts::chosen_for(const std::string& plugin) const {
    if (plugin.empty()) return {};
    if (const auto at = options_.plugins.find(plugin); at != options_.plugins.end()) return at->second;
    if (options_.others) return *options_.others;
    const auto at = registered_.find(plugin);
    return at == registered_.end() ? Recipients{} : at->second;
}

void Alerts::register_recipients(const std::string& plugin, const std::string& json) {
    auto recipients = Recipients::parse(nlohmann::json::parse(json, nullptr, false));
    if (!recipients)
        log_.warning(
            "[ALERT-RECIPIENTS] The recipients that a plugin registered cannot be used; its alerts go to "
            "everybody. plugin={} why={}",
            plugin, recipients.error().message);
    std::lock_guard lock(mutex_);
    registered_[plugin] = recipients.value_or(Recipients{});
}

std::vector<ChannelStatus> Alerts::status() const {
    std::vector<ChannelStatus> out;
    for (const auto& channel : channels_) out.push_back(channel->status());
    return out;
}

void Alerts::stop(std::chrono::milliseconds at_most) {
    for (const auto& channel : channels_) channel->stop(at_most);
}

}  // namespace sg::alerts
