#pragma once
// The site's API over HTTP.

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/logger.hpp>
#include <sg/types.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "site/credential.hpp"
#include "site/files.hpp"
#include "site/limits.hpp"
#include "site/query.hpp"
#include "site/version.hpp"
#include "util/backoff.hpp"
#include "util/clock.hpp"
#include "util/result.hpp"

namespace sg::site {

struct Settings {
    std::string base_url;                 ///< see `Endpoint::from_base_url`
    std::string proxy;                    ///< see `Proxy::parse`; empty: none
    bool proxy_from_environment = false;  ///< without `proxy`: obey http_proxy, https_proxy, no_proxy
    std::string ca_file;                  ///< empty: the system's
    Limits limits;
    std::int64_t page_size = 500;                     ///< rows asked for at a time by `find`
    std::uint32_t attempts = 5;                       ///< of a read, the first included
    Backoff::Limits backoff;                          ///< between them
    std::chrono::milliseconds longest_wait{120'000};  ///< a site that asks for more is not waited for
};

/// What goes with one call, and with no other.
struct CallOptions {
    Credential credential;
    std::stop_token stop;
    std::string session_uuid;               ///< the browser session that the change is shown in; empty: none
    std::string sudo_as_login;              ///< the person whose permissions apply; empty: the caller's own
    nlohmann::json extra_auth;              ///< an object whose members go beside the credential, or over it
    std::optional<std::uint32_t> attempts;  ///< of a read; 1 leaves retrying to the caller
    OnProgress progress;                    ///< of a transfer that is asked for by name
};

/// Whether a call can be made twice without harm.
enum class Repeat { harmless, never };

/// An answer of the site as it came, known to be JSON by its content type and to be no fault.
struct RawAnswer {
    std::string body;
    std::optional<UtcTime> date;  ///< the site's clock, from the `Date` header
};

/// One site, as any number of scripts and people.
///
/// Connections are made on first use, kept alive, pooled per credential, and never used by two calls at
/// once. A read is retried after a growing pause while the trouble may pass (no connection, a limit,
/// 429, 502, 503, 504), as late as the site's `Retry-After` says. A call that may change something is
/// sent once: tried again only while no byte of it has left this machine.
///
/// Threads:  every member from any thread.
/// Lifetime: outlives its calls; `clock` and `log` outlive it.
/// Signals:  the process ignores SIGPIPE: OpenSSL writes to sockets that the other end has closed.
/// Blocks:   each call until it is answered, a limit of `Settings::limits` passes, or (within
///           milliseconds) its stop token is triggered. Pauses between attempts follow `clock`; the
///           limits of a request follow the machine's monotonic clock.
/// Errors:   as `Failure`: the site's own faults with its text and `site_code` (102, 106, 108, 110 are
///           `authentication`, the others `bad_request`), HTTP errors with `http_status`, `stopped`,
///           and `invalid` for what was not sent at all. No message holds a key or password.
class Client {
public:
    /// Opens no connection. Errors: `invalid`.
    static Result<std::unique_ptr<Client>> make(Settings settings, Clock& clock, Logger& log);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// The credential of `options` as it can be used more than once: a person with the code of a second
    /// factor is logged in, once for each code, and the session kept; any other is itself. Errors: those
    /// of the login; the next caller tries again.
    Result<Credential> logged_in(const CallOptions& options);

    /// What the site says of itself (`version`, …). Needs no credential.
    Result<nlohmann::json> info(const CallOptions& options);

    /// The site's version: asked for by the first call that depends on it (a session token, a person to
    /// act as, whatever `gates` lists but plain reads), and kept.
    Result<Version> version(const CallOptions& options);

    /// Errors: `not_supported` where the site is too old.
    Result<void> require(const Gate& gate, const CallOptions& options);

    /// Any call by its name and parameters on the wire; its `results`. The files `methods_….hpp` hold
    /// those that have a function. `parameters` may be null: none.
    Result<nlohmann::json> call(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                const CallOptions& options);

    /// The same for a call that answers with text instead of JSON.
    Result<std::string> call_text(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                  const CallOptions& options);

    /// All rows, an array; each with `type`, `id` and the fields as the site sent them. Pages are
    /// separate requests: what changes between them can be missed or come twice.
    Result<nlohmann::json> find(const FindRequest& request, const CallOptions& options);

    /// The first row, or null.
    Result<nlohmann::json> find_one(const Query& query, const CallOptions& options);

    /// One page, left as the bytes of the answer: `{"results": {"entities": […], …}}`.
    Result<RawAnswer> read_raw(const ReadRequest& request, const CallOptions& options);

    /// Makes an entity of `data` (field to value); the new row with those fields and `fields`.
    Result<nlohmann::json> create(std::string_view type, const nlohmann::json& data,
                                  const std::vector<std::string>& fields, const CallOptions& options);

    /// Changes the fields in `data`; the row with those fields. Without data nothing is sent.
    /// `multi_entity_modes` maps a field to `add`, `remove` or `set`; null: every field is set.
    Result<nlohmann::json> update(std::string_view type, EntityId id, const nlohmann::json& data,
                                  const nlohmann::json& multi_entity_modes, const CallOptions& options);

    /// Retires an entity (the site's `delete`); false if it was retired already.
    Result<bool> remove(std::string_view type, EntityId id, const CallOptions& options);

    // Files. A transfer has no limit on the whole, only those on standing still; progress and a stop are
    // looked at all the while. Memory does not grow with the file.

    /// Sends a file; the id of its attachment. By the route that the site names: straight to its storage
    /// (in parts where it is large; a part that fails is sent again), or through the site. What links the
    /// file to the entity is sent once. Errors: `invalid` for a file that cannot be sent, or that changes
    /// meanwhile.
    Result<EntityId> upload(const UploadRequest& request, const CallOptions& options);

    /// The id of the shared thumbnail's attachment; nullopt where the source has none, which clears it.
    /// Errors: `busy` while the source's thumbnail is still being made.
    Result<std::optional<EntityId>> share_thumbnail(const ShareThumbnailRequest& request,
                                                    const CallOptions& options);

    /// Fetches a file; nullopt where `attachment` is null. Redirects are followed, and no credential goes
    /// to another host. A transfer that is cut goes on where it was where the server can (`Range`), and
    /// begins anew where it cannot. The file appears under its name when it is whole and on the disk,
    /// until then it is `.NAME.XXXXXXXX.part` beside it, which is removed on failure. Errors: `busy` while
    /// the site looks for malware (409), `internal` where the disk refuses.
    Result<std::optional<Downloaded>> download(const DownloadRequest& request, const CallOptions& options);

private:
    class Calls;
    class Files;
    class Logins;
    explicit Client(std::unique_ptr<Calls> calls);
    Result<void> check_query(const Query& query, const CallOptions& options);

    std::unique_ptr<Calls> calls_;
    std::unique_ptr<Logins> logins_;
};

}  // namespace sg::site
