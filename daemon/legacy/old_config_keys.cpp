#include "legacy/old_config_keys.hpp"

#include <array>
#include <utility>

namespace sg::legacy {

const std::vector<LeftOut>& keys_left_out() {
    static const std::vector<LeftOut> table{
        {"daemon", "pidfile", "no command needs it any more; set `pid_file` if a tool of yours does"},
        {"daemon", "eventidfile",
         "read it with `sgeventd import positions`; from then on `state_dir` holds progress"},
        {"daemon", "max_conn_retries",
         "pauses grow by themselves, and an outage is reported when it begins and ends"},
        {"plugins", "max_workers", "plugins do not wait for each other"},
    };
    return table;
}

const std::vector<std::string>& keys_carried_over() {
    static const std::vector<std::string> names{
        "daemon/logmode",
        "daemon/logpath",
        "daemon/logfile",
        "daemon/logging",
        "daemon/timing_log",
        "daemon/conn_retry_sleep",
        "daemon/fetch_interval",
        "daemon/max_event_batch_size",
        "shotgun/server",
        "shotgun/name",
        "shotgun/key",
        "shotgun/proxy_server",
        "shotgun/use_session_uuid",
        "plugins/paths",
        "emails/enabled",
        "emails/server",
        "emails/port",
        "emails/usetls",
        "emails/username",
        "emails/password",
        "emails/from",
        "emails/to",
        "emails/subject",
    };
    return names;
}

std::string level_name(std::string_view old) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> levels{{
        {"10", "debug"},
        {"20", "info"},
        {"30", "warning"},
        {"40", "error"},
        {"50", "error"},
    }};
    for (const auto& [number, name] : levels)
        if (old == number) return std::string(name);
    return {};
}

}  // namespace sg::legacy
