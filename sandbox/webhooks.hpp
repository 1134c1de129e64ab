#pragma once
// Telling the outside of events, as they come.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "sandbox/webhook_body.hpp"

namespace sg::sandbox {

/// The webhooks of one site. An event is told soon after the operation that wrote it, when readers see
/// it; hidden rows when they are shown. Deliveries are made one after another, for all webhooks together.
///
/// At most 10,000 events wait per webhook; of more than that nobody is told, and they are counted.
///
/// Threads:  one of its own ("sandbox-hooks") from the first webhook on, which takes the site's lock to look
/// at new rows and sends
///           without it. Every member from any thread, with the site's lock free.
/// Lifetime: log and lock outlive it; the destructor breaks off what is being sent.
class Webhooks {
public:
    struct Parts {
        EventLog& log;
        std::mutex& lock;
        std::function<Seconds()> now;  ///< the site's time; wants the lock held
        std::function<std::string()> site_url;
    };
    explicit Webhooks(Parts parts);
    ~Webhooks();
    Webhooks(const Webhooks&) = delete;
    Webhooks& operator=(const Webhooks&) = delete;

    /// Returns its id. It is told of rows written from now on.
    std::string add(WebhookSettings settings);
    bool remove(const std::string& id);
    /// By hand; a webhook that had failed begins anew. It is told of the change as well.
    bool enable(const std::string& id, bool enabled);
    /// The next `count` deliveries, whoever gets them; `delay` for those that are delayed.
    void spoil(WebhookFault fault, std::size_t count, std::chrono::milliseconds delay);
    /// Sends one again that is done. False if it is not known any more, or not done.
    bool redeliver(const std::string& delivery);

    /// The webhooks and whether they are enabled, for the data file; what waits is not in it, and a webhook
    /// that had failed begins anew.
    std::string as_text() const;
    /// Before the first webhook. What `as_text` did not make changes nothing.
    void apply_text(std::string_view text);

    std::vector<WebhookState> states() const;
    /// The last 1000 of all webhooks, in the order they were begun.
    std::vector<WebhookDelivery> deliveries() const;

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Hook {
        WebhookSettings settings;
        WebhookStatus status = WebhookStatus::active;
        std::deque<OrderedJson> events;  // not made into deliveries yet
        std::deque<Seconds> failures;
        std::uint64_t dropped = 0;
    };
    struct Sending {
        std::size_t record = 0;  // number in records_
        std::string webhook, url, token, body;
        std::chrono::milliseconds limit{};
        Time due{};
        unsigned attempts_left = 0;
        std::chrono::milliseconds pause{};
        std::size_t index = 0, size = 1;
        bool lost = false, forged = false;
    };
    struct Spoiled {
        WebhookFault fault;
        std::size_t count;
        std::chrono::milliseconds delay;
    };

    void start();
    void run(const std::stop_token& stop);
    void take_events();
    void make_deliveries();
    void begin(const std::string& id, Hook& hook, std::vector<OrderedJson> data, std::size_t index,
               std::size_t size);
    void apply_fault(Sending& sending);
    std::optional<Sending> next_due();
    void send(Sending sending, const std::stop_token& stop);
    void settle(Hook* hook, Sending sending, bool worked);
    WebhookDelivery* record(std::size_t number);
    std::string new_uuid();

    const Parts parts_;
    Changes changes_;  // the site's lock guards it
    std::once_flag started_;
    std::mutex taking_;                    // taken before any other; one looks at new rows at a time
    std::unordered_set<Id> hidden_;        // guarded by it: rows not shown yet
    mutable std::mutex mutex_;             // guards everything below but the thread; taken alone
    Seconds now_{};                        // as the site's clock last said
    std::map<std::string, Hook> hooks_;    // by id
    std::deque<Sending> sendings_;         // in order
    std::deque<WebhookDelivery> records_;  // the last ones
    std::size_t first_record_ = 0;         // number of the first of them
    std::deque<Spoiled> spoiled_;
    std::uint64_t uuids_ = 0, batches_ = 0;
    std::jthread thread_;  // last: it uses everything above
};

}  // namespace sg::sandbox
