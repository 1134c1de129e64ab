#pragma once
// Which request gets which answer.

#include <optional>
#include <string>

#include "admin/controls.hpp"
#include "admin/server.hpp"

namespace sg::admin {

/// The paths of the daemon's HTTP interface:
///
///     GET  /                        the status page, with its files, such as /style.css
///     GET  /api/status              the snapshot as JSON
///     GET  /api/live                server-sent events: a snapshot each time one is taken
///     GET  /api/dead-letters        what was given up, each event in short: the first 1,000
///     GET  /metrics                 for Prometheus
///     GET  /healthz                 200 while the daemon's loop turns, else 503
///     GET  /readyz                  200 while the site answers and every plugin is loaded, else 503 and why
///     POST /api/poll                look for events at once; {"wait": true}: an order, over when they are
///                                   delivered
///
///     POST /api/log-level           {"level": LEVEL}, or {"level": LEVEL, "plugin": NAME}
///
///     POST /api/reload              load every plugin anew, or the one that the body names:
///                                   {"plugin": NAME}
///
///     POST /api/dead-letters/list   the same in full, events and all errors: {"letters": […]}
///     POST /api/dead-letters/retry  hand them out again
///     POST /api/dead-letters/drop   delete them
///
///     POST /api/plugins/pause       {"plugin": NAME}: it gets no events, also after a restart
///     POST /api/plugins/resume      it gets them again, those that waited first
///     POST /api/plugins/seek        {"plugin": NAME, "to": ID | TIME | "latest" | "earliest"}
///     POST /api/plugins/skip        a plugin that stands at an event lets it go
///     POST /api/plugins/retry       what it failed on is tried again at once
///     POST /api/plugins/disable     it is unloaded, also after a restart
///     POST /api/plugins/enable      it is loaded again
///     POST /api/plugins/explain     {"plugin": NAME, "event": ID}: "known" says what became of the event
///
///     GET  /api/orders/N            {"order": N, "over": false}, or what came of it: "done" or "error"
///
/// Those about plugins, and a poll that waits, are answered with {"order": N} at once.
///
/// The three about dead letters take {"plugin": NAME, "event": ID, "callback": NAME}, each of which may be
/// missing, and at least one must be there for the last two, or "all": true.
///
/// What changes anything is answered on the socket alone; on the port it is refused with 403, but for
/// /api/dead-letters/retry where there is a token and the request's header X-SGEventD-Token has it. A header
/// and no cookie: no other page can make a browser send it. A wrong one is 401, and counted.
///
/// Threads: any, but `accept` before the first answer. Lifetime: outlived by `controls`.
class Desk {
public:
    explicit Desk(Controls& controls) : controls_(controls) {}
    Response answer(const Request& request) const;

    /// With which letters may be tried again on the port; empty: they may not.
    void accept(std::string token) { token_ = std::move(token); }
    bool takes_a_token() const { return !token_.empty(); }

private:
    std::optional<Response> refused(const Request& request) const;
    Response look(const Request& request) const;
    Response act(const Request& request) const;
    Response letters(const Request& request, const std::string& caller) const;
    Response steer(const Request& request, const std::string& caller) const;
    Response poll(const Request& request, const std::string& caller) const;
    Response log_level(const Request& request, const std::string& caller) const;
    Response order_state(const std::string& number) const;
    std::optional<Response> unknown(const std::string& plugin) const;
    Response reload(const Request& request, const std::string& caller) const;

    Controls& controls_;
    std::string token_;
};

}  // namespace sg::admin
