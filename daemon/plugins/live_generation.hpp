#pragma once
// A generation and its host, from start to end.

#include <deque>
#include <map>
#include <stop_token>

#include "host/requests/requests.hpp"
#include "plugins/build.hpp"
#include "plugins/expected_calls.hpp"
#include "plugins/host_body.hpp"

namespace sg::plugins {

/// Speaks with one host: hands it events, answers its requests through `SiteRequests`, watches the
/// deadlines of its calls, and explains its end. Believes nothing of what the host says: outcomes
/// must be those of calls that were handed out, in their order.
///
/// Loop thread only. Owners may keep it after its end; it is inert then.
class LiveGeneration final : public Generation {
public:
    struct Plan {
        std::string plugin;
        std::uint64_t number = 0;
        std::shared_ptr<const Build> build;
        std::shared_ptr<const PluginSettings> settings;
        const PluginSetOptions* options = nullptr;
        host::SiteRequests* requests = nullptr;
        host::DataRequests* data = nullptr;  ///< null: there is no data retriever
        Logger* log = nullptr;               ///< the plugin's
        std::string file{};                  ///< in its collection
    };

    /// The last thing that is told.
    struct Gone {
        HostEnd end;
        std::optional<Failure> refused;           ///< why it never became ready
        bool expected = false;                    ///< it was told to end, and did
        bool killed = false;                      ///< it did not end in time
        bool abandoned = false;                   ///< it still runs: a thread that nobody can end
        std::vector<StillMapped> still_mapped{};  ///< of the plugin, in the daemon
    };
    struct Handlers {
        std::function<void()> ready;
        std::function<void(std::vector<Outcome>)> outcomes;
        std::function<void(Gone)> gone;
    };

    LiveGeneration(Loop& loop, Plan plan, std::unique_ptr<HostBody> body);
    ~LiveGeneration() override;

    /// Tells the host what to load. The handlers are called later, never from within.
    void open(Handlers handlers);

    /// What runs may finish within `at_most`; then it is stopped, then killed.
    void drain(std::chrono::milliseconds at_most);

    /// Nothing more is told; the host is killed. Waits for a host in a thread.
    void detach();

    const std::string& plugin() const noexcept override { return plan_.plugin; }
    std::uint64_t number() const noexcept override { return plan_.number; }
    const std::string& build() const noexcept override { return plan_.build->hash(); }
    const std::vector<CallbackInfo>& callbacks() const noexcept override { return callbacks_; }
    std::string_view file() const noexcept override { return plan_.file; }
    void deliver(Deliver batch) override;

    const std::shared_ptr<const Build>& build_of() const noexcept { return plan_.build; }
    const std::string& alerts() const noexcept override { return alerts_; }
    std::optional<LogLevel> log_level() const noexcept override { return log_level_; }
    std::size_t outstanding() const noexcept { return expected_.size(); }
    bool is_stuck() const noexcept { return stuck_; }
    int pid() const noexcept { return body_ ? body_->pid() : 0; }

private:
    void on_message(host::FromHost message);
    void on_hello(const host::Hello& hello);
    void on_registered(host::Registered registered);
    void refuse_registration(Failure why);
    void on_outcomes(host::Outcomes outcomes);
    void on_request(host::Request request);
    void on_ask_data(host::AskData ask);
    void on_stop_data(std::uint64_t id);
    void on_clear_data(std::uint64_t clearing);
    void end_data(std::uint64_t id, host::DataOutcome outcome);
    Credential credential_of(const std::optional<std::uint16_t>& callback) const;
    Result<CallbackInfo> info_of(host::RegisteredCallback registered) const;
    void on_log(const host::LogLine& line);
    void on_channel_ended(std::optional<Failure> malformed);
    void on_body_ended(HostBody::End end);
    void on_registration_late();

    /// Takes the next outcome off what is expected; false if it is another one's.
    bool is_next(const Outcome& outcome);
    void reject(std::string what);
    void drop_requests();
    HostEnd explain(HostBody::End end, std::vector<Outcome>& last_outcomes);
    void tell_gone(Gone gone);

    void watch_calls();
    struct Seen {
        std::uint64_t sequence = 0;
        Clock::Time at{};
        bool warned = false;
        std::optional<Clock::Time> stopped{};  ///< when it was asked to end
    };
    static bool is_slow(const Seen& call);
    static bool is_overdue(const Seen& call);
    void look_at_calls();
    void look_at_call(const host::RunPage::Call& call, Seen& seen);
    void end_overdue();
    /// Whether one of those that were seen, and that `which` is about, runs still.
    bool runs_still(bool (*which)(const Seen&)) const;

    Loop& loop_;
    Plan plan_;
    std::shared_ptr<HostBody> body_;
    Handlers handlers_;
    std::vector<CallbackInfo> callbacks_;
    std::vector<Credential> credentials_;  // of each callback
    std::string alerts_ = "\"all\"";
    std::optional<LogLevel> log_level_;
    bool greeted_ = false, registered_ = false, draining_ = false;
    std::string forced_;  // why we ended it
    std::optional<Failure> refused_;

    ExpectedCalls expected_;
    bool overlaps_ = false;       // outcomes may come in another order
    std::uint64_t received_ = 0;  // sequence of the last outcome

    std::map<std::uint64_t, std::stop_source> requests_;
    std::size_t unfinished_ = 0;  // requests that the site has not let go of, cancelled ones too

    std::unique_ptr<host::DataRequests::Door> data_;   // from the first request on
    std::map<std::uint64_t, std::size_t> asked_data_;  // bytes of requests that are not answered
    std::size_t asked_data_bytes_ = 0;

    std::vector<Seen> seen_;  // of the calls that were running at the last look
    bool stuck_ = false;
    Loop::Handle call_timer_, deadline_timer_, end_timer_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// "10 min", "90 s", "250 ms".
std::string readable(std::chrono::milliseconds time);

}  // namespace sg::plugins
