#include "service/alert_desk.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace sg::service {
namespace {

constexpr std::chrono::milliseconds send_rest{5000};

std::string host_name() {
    std::array<char, 256> name{};
    const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != 0;
    return known ? name.data() : "localhost";
}

alerts::Tls tls_of(config::MailTls tls) {
    switch (tls) {
        case config::MailTls::starttls:
            return alerts::Tls::starttls;
        case config::MailTls::implicit:
            return alerts::Tls::implicit;
        case config::MailTls::none:
            break;
    }
    return alerts::Tls::none;
}

alerts::MailSettings mail_settings(const config::Alerts& from) {
    alerts::MailSettings to;
    to.server = from.mail.server;
    to.port = from.mail.port;
    to.tls = tls_of(from.mail.tls);
    to.ca_file = from.mail.ca_file;
    to.user = from.mail.user;
    to.password = from.mail.password.value;
    to.allow_plain_login = from.mail.allow_plain_login;
    to.from = from.mail.from;
    to.subject = from.mail.subject;
    to.timeout = from.timeout;
    return to;
}

/// What the configuration accepted is one word or addresses.
alerts::Recipients recipients(const std::vector<std::string>& to) {
    const bool word = to.size() == 1 && (to.front() == "all" || to.front() == "none");
    return alerts::Recipients::parse(word ? nlohmann::json(to.front()) : nlohmann::json(to))
        .value_or(alerts::Recipients{});
}

}  // namespace

alerts::Options alert_options(const config::Config& config) {
    const auto& from = config.alerts;
    alerts::Options to;
    to.level = from.level;
    to.pace.gather = from.gather;
    to.pace.pause = from.pause;
    to.attempts = from.attempts;
    to.origin = {SG_VERSION, host_name(), config.site.url};
    to.to = from.mail.to;
    std::sort(to.to.begin(), to.to.end());
    if (!from.mail.server.empty()) to.mail = mail_settings(from);
    if (!from.hook.url.value.empty())
        to.hook = alerts::HookSettings{from.hook.url.value, from.hook.ca_file, from.timeout};
    if (!from.command.empty()) to.command = alerts::CommandSettings{from.command, from.timeout};
    to.others = config.plugin_defaults.alerts_to.empty()
                    ? std::nullopt
                    : std::optional(recipients(config.plugin_defaults.alerts_to));
    for (const auto& [name, plugin] : config.plugins)
        if (!plugin.alerts_to.empty()) to.plugins[name] = recipients(plugin.alerts_to);
    return to;
}

AlertDesk::AlertDesk(const config::Config& config, logging::Logging& logging, Clock& clock)
    : logging_(logging), alerts_(alert_options(config), clock, logging.engine()) {
    if (alerts_.is_off()) return;
    logging_.watch([this](LogLevel level, const std::string& logger, std::string text) {
        alerts_.line(level, logger, std::move(text));
    });
}

AlertDesk::~AlertDesk() {
    logging_.watch({});
    alerts_.stop(send_rest);
}

void QuietWatch::look(std::uint64_t events, bool answers) {
    if (!after_) return;
    const auto now = clock_.now();
    const auto lasted = std::chrono::duration<double>(now - since_).count();
    if (events != std::exchange(events_, events)) {
        since_ = now;
        if (std::exchange(told_, false))
            log_.info("[SITE-QUIET-OVER] An event has come again. after_s={:.1f}", lasted);
    } else if (!answers && !told_) {
        since_ = now;
    } else if (now - since_ >= *after_ && !std::exchange(told_, true)) {
        log_.error("[SITE-QUIET] No event has come for a while, though the site answers. after_s={:.1f}",
                   lasted);
    }
}

}  // namespace sg::service
