#pragma once
// A site in a process: real HTTP, its own data and event log, faults on request.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/data_file_sql.hpp"
#include "sandbox/fault.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/times.hpp"
#include "sandbox/webhook.hpp"
#include "sandbox/write.hpp"
#include "util/clock.hpp"

namespace sg::sandbox {

/// A row to put into the event log as it is; what is not set is null, but for type and time.
struct EventSpec {
    std::optional<Id> id{};  ///< unset: the next one
    std::optional<std::string> event_type = "Shotgun_Shot_Change";
    std::optional<std::string> attribute_name{};
    Json meta = nullptr;
    Json entity = nullptr, user = nullptr,
         project = nullptr;  ///< `{"type", "id"}`, with a "name" where the site has no such row
    std::optional<std::string> session_uuid{}, description{};
    std::optional<Seconds> created_at{};  ///< unset: the site's time
    bool dated = true;                    ///< false: `created_at` is null
    bool hidden = false;                  ///< not visible until `show`
};

/// Fields by name, as for `create`: `{{"code", "sh010"}, {"project", {…}}}`.
using Fields = std::vector<std::pair<std::string, Json>>;

/// Speaks `/api3/json` (docs/site-coverage.md lists the methods) on a loopback port, takes and serves
/// files, and lets a test look and reach into it.
///
///     sandbox::Site site;
///     const auto first = site.add_event({.event_type = "Shotgun_Version_New"});
///     site.inject(Fault::status(503).on("read"));
///     … a client that polls site.url() with Site::script and Site::key …
///
/// An answer is made when its request comes in; a delay or a gate holds the finished answer back.
///
/// Threads:  every member from any thread. Nothing here waits for a client.
/// Lifetime: the destructor ends the server; answers still held are never sent.
class Site {
public:
    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;               ///< 0: the system picks one
        Clock* clock = nullptr;               ///< drives the site's time; null: the machine's clock
        std::optional<std::string> schema{};  ///< text in the form of schema.yaml; unset: the built-in one
        std::string time_zone = "UTC0";       ///< what day it is for date fields; see time_zone.hpp
        bool weeks_begin_on_sunday = false;   ///< for `in_calendar_week`
        /// Where the state is kept (data_file.hpp); empty: in memory alone.
        std::filesystem::path data_file{};
        /// Told once when the data file begins to refuse what is written; on a thread of the site's.
        std::function<void(const std::string&)> trouble{};
        bool direct_uploads = true;  ///< files go to the storage; false: through the site
    };
    /// A script that every site knows from the start.
    static constexpr const char* script = "sandbox";
    static constexpr const char* key = "sandbox-key";

    Site();
    /// Throws std::system_error where the port cannot be had, DataFileError where the data file cannot be
    /// used.
    explicit Site(Options options);
    ~Site();

    std::string url() const;  ///< `http://127.0.0.1:43210`
    std::uint16_t port() const;
    /// A directory for files that belong to the data file, beside it: `FILE.files`. Not made, and nullopt
    /// where the state is in memory.
    std::optional<std::filesystem::path> files_directory() const;
    /// Waits until the data file has everything so far; false if it refuses. True without one.
    bool flush();

    // Who may ask.
    /// Makes the ApiUser if need be; returns its id.
    Id add_script(const std::string& name, const std::string& key, bool logs_events = true);
    void remove_script_key(const std::string& name);
    void set_permissions(const std::string& name, Permissions may);
    /// This person's password is no longer enough: `code` is needed too, and good for one login.
    void require_code(const std::string& login, const std::string& code);
    /// Every login with a password is this fault: 108 (single sign-on) or 110 (Autodesk Identity); 0: none.
    void refuse_passwords(int fault);
    /// All session tokens given out so far are no good any more.
    void expire_sessions();
    /// A HumanUser, who may log in if there is a password.
    Id add_person(const std::string& name, const std::string& login, const std::string& password = {});

    // Data. A refused write throws `Refusal`.
    /// Puts a row in without telling the event log.
    Id add(const std::string& type, const Fields& fields, Id id = 0);
    /// Writes as `user` would, events and all; `first_event` gets the id of the first event row.
    Id create(const Caller& user, const std::string& type, const Fields& fields, Id* first_event = nullptr);
    /// Returns the id of the first event row, 0 if nothing changed.
    Id update(const Caller& user, const std::string& type, Id id, const Fields& fields);
    bool remove(const Caller& user, const std::string& type, Id id);
    bool revive(const Caller& user, const std::string& type, Id id);
    /// The ids of the rows of a type that are not retired, ascending.
    std::vector<Id> ids(const std::string& type) const;
    /// A stored value, links without names; null where there is none.
    Json value(const std::string& type, Id id, const std::string& field) const;

    // Files.
    /// While held, a thumbnail that is uploaded stays "being made".
    void hold_thumbnails(bool hold);

    // The event log.
    Id add_event(const EventSpec& event);
    /// `count` rows like `event`, with ids one after another; returns the first id. Quick enough for
    /// millions.
    Id add_events(std::size_t count, const EventSpec& event);
    Id add_events(std::size_t count, const std::string& event_type,
                  std::optional<std::string> attribute = {});
    /// The highest id that readers see; 0 if there is none.
    Id newest_id() const;
    std::size_t event_count() const;
    /// As if its transaction had not ended yet. False if there is no such row.
    bool hide(Id event);
    bool show(Id event);
    /// Shows it after so much of the machine's time. Returns at once.
    void show_later(Id event, std::chrono::milliseconds wait);
    /// The next `count` rows, whoever writes them, are hidden until shown.
    void hide_next(std::size_t count);
    void set_next_event_id(Id id);
    /// Ids that never appear.
    void skip_event_ids(Id count);

    // Time.
    Seconds now() const;
    /// Moves the site's clock, against the machine's, by this much more.
    void shift_clock(std::chrono::seconds by);
    /// From now on the site's clock goes so many times as fast as the machine's; 0 stops it.
    void set_clock_rate(double rate);

    // Faults.
    FaultId inject(Fault fault);
    void clear(FaultId fault);
    void clear_faults();
    /// How many requests have met this fault so far.
    std::uint64_t met(FaultId fault) const;
    /// From now on connecting is refused and open connections are closed, until `accept_connections`.
    void refuse_connections();
    /// Connections are made, but nothing is ever read from them, until `accept_connections`.
    void ignore_connections();
    void accept_connections();
    void close_connections();
    /// The connections open now go silent for good, without being closed; new ones work.
    void silence_connections();
    std::size_t connections() const;

    // Webhooks (webhook.hpp).
    /// Returns its id. It is told of what is written from now on.
    std::string add_webhook(WebhookSettings settings);
    /// These two are false for an unknown id.
    bool remove_webhook(const std::string& id);
    bool enable_webhook(const std::string& id, bool enabled);
    std::vector<WebhookState> webhooks() const;
    std::vector<WebhookDelivery> webhook_deliveries() const;
    /// What happens to the next `count` deliveries.
    void spoil_deliveries(WebhookFault fault, std::size_t count = 1, std::chrono::milliseconds delay = {});
    bool redeliver(const std::string& delivery);

    // What was asked. The last 100,000 requests are kept; the counts are of all.
    std::vector<Request> requests() const;
    std::uint64_t request_count() const;
    /// Empty words match any.
    std::uint64_t request_count(std::string_view method, std::string_view entity_type = {},
                                std::string_view script_name = {}) const;
    /// True if, on any connection, a request came before the answer to the one before it had left.
    bool saw_interleaving() const;
    void forget_requests();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sg::sandbox
