#pragma once
// What is told to people, and to whom.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerts/channel.hpp"
#include "alerts/command.hpp"
#include "alerts/hook.hpp"
#include "alerts/mail.hpp"

namespace sg::alerts {

/// Whom alerts about a plugin go to.
struct Recipients {
    enum class Who { all, nobody, addresses } who = Who::all;
    std::vector<std::string> addresses;  ///< sorted, each once, fit to be sent to

    /// From `"all"`, `"none"` or a list of addresses, as plugins register them; empty text of a list: nobody.
    /// Errors: an address that is none; the text names it.
    static Result<Recipients> parse(const nlohmann::json& value);
};

struct Options {
    LogLevel level = LogLevel::error;  ///< lines of this level and above
    Pace pace;
    int attempts = 5;
    Origin origin;
    std::vector<std::string> to;  ///< everybody, for mail; sorted
    std::optional<MailSettings> mail;
    std::optional<HookSettings> hook;
    std::optional<CommandSettings> command;
    std::map<std::string, Recipients> plugins;  ///< as configured: comes before what a plugin registers
    std::optional<Recipients> others;           ///< likewise, for plugins that are not among those
};

/// Looks at each line of the log and tells people of those that matter, over every channel that is set up.
///
/// A line matters if its level says so, if a plugin has stopped, or if it ends what an alert was about
/// (`[SITE-BACK]` after `[SITE-DOWN]`). Lines whose code begins with ALERT never do.
///
/// A plugin's lines, and lines of the daemon with a field `plugin=`, go to the plugin's recipients:
/// everybody, nobody (no channel tells of it), or addresses (by mail; the other channels tell of it as ever).
///
/// Threads:  every member from any thread; none but `stop` blocks.
/// Lifetime: outlived by clock and log.
class Alerts {
public:
    Alerts(Options options, Clock& clock, Logger& log);
    ~Alerts();

    bool is_off() const noexcept { return channels_.empty(); }

    void line(LogLevel level, const std::string& logger, std::string text);

    /// From now on `level`, `to`, `plugins` and `others` are as in `options`. The channels stay what they
    /// were.
    void configure(const Options& options);

    /// What a build of `plugin` has registered, as JSON text. Unusable addresses are logged, and then
    /// everybody is told.
    void register_recipients(const std::string& plugin, const std::string& json);

    std::vector<ChannelStatus> status() const;

    /// Sends what waits, for at most `at_most` on each channel. Blocks.
    void stop(std::chrono::milliseconds at_most);

private:
    bool matters(LogLevel level, const std::string& code, const std::string& plugin);
    /// With the addresses to send mail to, everybody's if need be.
    Recipients recipients_of(const std::string& plugin) const;
    Recipients chosen_for(const std::string& plugin) const;

    Clock& clock_;
    Logger& log_;
    mutable std::mutex mutex_;
    Options options_;
    std::map<std::string, Recipients> registered_;
    std::set<std::pair<std::string, std::string>> open_;  // code and plugin of alerts that have an end
    Channel* mail_ = nullptr;                             // one of them
    std::vector<std::unique_ptr<Channel>> channels_;
};

}  // namespace sg::alerts
