#include "sandbox/webhooks.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>

#include "sandbox/webhook_post.hpp"
#include "util/clock.hpp"
#include "util/thread.hpp"

namespace sg::sandbox {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto look_every = 10ms;
constexpr std::size_t events_waiting = 10'000, batch_size = 50, records_kept = 1000, failures_allowed = 100;
constexpr auto failures_count_for = std::chrono::hours(24);

bool wants(const WebhookSettings& settings, const OrderedJson& data) {
    if (settings.entity_types.empty()) return true;
    const auto name = data["event_type"].get<std::string>();
    return std::ranges::any_of(settings.entity_types, [&](const std::string& type) {
        return name.starts_with("Shotgun_" + type + "_") && name.rfind('_') == type.size() + 8;
    });
}

}  // namespace

Webhooks::Webhooks(Parts parts) : parts_(std::move(parts)) {}

void Webhooks::start() {
    {
        std::lock_guard lock(parts_.lock);
        parts_.log.watch(&changes_);
    }
    thread_ = start_thread("sandbox-hooks", [this](const std::stop_token& stop) { run(stop); });
}

Webhooks::~Webhooks() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    std::lock_guard lock(parts_.lock);
    parts_.log.unwatch(&changes_);
}

std::string Webhooks::new_uuid() { return fmt::format("{:08x}-5a4d-4b0b-8000-5a6d626f7865", ++uuids_); }

std::string Webhooks::add(WebhookSettings settings) {
    std::call_once(started_, [this] { start(); });
    take_events();  // what is there already is not for the new one
    std::lock_guard lock(mutex_);
    const auto id = new_uuid();
    hooks_[id].settings = std::move(settings);
    return id;
}

bool Webhooks::remove(const std::string& id) {
    std::lock_guard lock(mutex_);
    std::erase_if(sendings_, [&](const Sending& sending) { return sending.webhook == id; });
    return hooks_.erase(id) > 0;
}

bool Webhooks::enable(const std::string& id, bool enabled) {
    std::lock_guard lock(mutex_);
    const auto found = hooks_.find(id);
    if (found == hooks_.end()) return false;
    auto& hook = found->second;
    const auto after = enabled ? WebhookStatus::active : WebhookStatus::disabled;
    if (hook.status == after) return true;
    if (enabled) hook.failures.clear();
    begin(id, hook, {webhook_status_data(hook.status, after, now_)}, 0, 1);
    hook.status = after;
    if (!enabled) hook.events.clear();
    return true;
}

void Webhooks::spoil(WebhookFault fault, std::size_t count, std::chrono::milliseconds delay) {
    std::lock_guard lock(mutex_);
    spoiled_.push_back({fault, count, delay});
}

bool Webhooks::redeliver(const std::string& delivery) {
    std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(records_, delivery, &WebhookDelivery::id);
    if (found == records_.end() || !found->done) return false;
    const auto hook = hooks_.find(found->webhook);
    if (hook == hooks_.end()) return false;
    found->done = found->delivered = false;
    Sending again;
    again.record = first_record_ + static_cast<std::size_t>(found - records_.begin());
    again.webhook = found->webhook;
    again.url = hook->second.settings.url;
    again.token = hook->second.settings.token;
    again.body = found->body;
    again.limit = hook->second.settings.time_limit;
    again.size = std::max<std::size_t>(1, found->events.size());
    sendings_.push_back(std::move(again));
    return true;
}

std::vector<WebhookState> Webhooks::states() const {
    std::lock_guard lock(mutex_);
    std::vector<WebhookState> out;
    for (const auto& [id, hook] : hooks_) {
        const auto sending = std::ranges::count(sendings_, id, &Sending::webhook);
        out.push_back({id, hook.settings.url, hook.status,
                       hook.events.size() + static_cast<std::size_t>(sending), hook.dropped});
    }
    return out;
}

std::vector<WebhookDelivery> Webhooks::deliveries() const {
    std::lock_guard lock(mutex_);
    return {records_.begin(), records_.end()};
}

void Webhooks::run(const std::stop_token& stop) {
    SystemClock clock;
    do {
        take_events();
        make_deliveries();
        // One at a time, so that a slow receiver does not keep new rows from being noticed for long.
        if (auto sending = next_due()) {
            send(std::move(*sending), stop);
            continue;
        }
        clock.sleep_until(clock.now() + look_every, stop);
    } while (!stop.stop_requested());
}

/// Looks at the rows written since the last time, between two operations of the site.
void Webhooks::take_events() {
    std::lock_guard one_taker(taking_);
    std::vector<OrderedJson> told;
    Seconds now;
    {
        std::lock_guard lock(parts_.lock);
        now = parts_.now();
        for (const auto id : std::exchange(changes_, {}).events) {
            const auto found = parts_.log.rows().find(id);
            if (found == parts_.log.rows().end()) {
                hidden_.erase(id);
            } else if (found->second.hidden) {
                hidden_.insert(id);
            } else {
                hidden_.erase(id);
                if (auto data = webhook_data(found->second)) told.push_back(std::move(*data));
            }
        }
    }
    std::lock_guard lock(mutex_);
    now_ = now;
    for (auto& [id, hook] : hooks_) {
        if (hook.status == WebhookStatus::failed || hook.status == WebhookStatus::disabled) continue;
        for (const auto& data : told) {
            if (!wants(hook.settings, data)) continue;
            if (hook.events.size() < events_waiting)
                hook.events.push_back(data);
            else
                ++hook.dropped;
        }
    }
}

/// Keeps a few deliveries ready per webhook; the rest waits as events.
void Webhooks::make_deliveries() {
    std::lock_guard lock(mutex_);
    for (auto& [id, hook] : hooks_) {
        const auto ready = std::ranges::count(sendings_, id, &Sending::webhook);
        if (hook.events.empty() || static_cast<std::size_t>(ready) >= batch_size) continue;
        const auto count = std::min(hook.events.size(), batch_size);
        std::vector<OrderedJson> data(
            std::make_move_iterator(hook.events.begin()),
            std::make_move_iterator(hook.events.begin() + static_cast<long>(count)));
        hook.events.erase(hook.events.begin(), hook.events.begin() + static_cast<long>(count));
        ++batches_;
        if (hook.settings.batched) {
            begin(id, hook, std::move(data), 0, count);
            continue;
        }
        for (std::size_t i = 0; i < count; ++i) begin(id, hook, {std::move(data[i])}, i, count);
    }
}

void Webhooks::begin(const std::string& id, Hook& hook, std::vector<OrderedJson> data, std::size_t index,
                     std::size_t size) {
    const auto& settings = hook.settings;
    WebhookDelivery record;
    record.id = new_uuid();
    record.webhook = id;
    for (auto& element : data) {
        element["delivery_id"] = data.size() == 1 ? record.id : new_uuid();
        if (const auto event = element["event_log_entry_id"].get<Id>(); event != 0)
            record.events.push_back(event);
    }
    record.body = webhook_body(data, settings.batched, now_);
    Sending sending;
    sending.record = first_record_ + records_.size();
    sending.webhook = id;
    sending.url = settings.url;
    sending.token = settings.token;
    sending.body = record.body;
    sending.limit =
        std::max(settings.time_limit, settings.batched ? std::chrono::milliseconds(1000 * data.size()) : 0ms);
    sending.attempts_left = std::max(1U, settings.attempts) - 1;
    sending.pause = settings.retry_pause;
    sending.index = index;
    sending.size = size;
    records_.push_back(std::move(record));
    apply_fault(sending);
    sendings_.push_back(std::move(sending));
    while (records_.size() > records_kept) {
        records_.pop_front();
        ++first_record_;
    }
}

void Webhooks::apply_fault(Sending& sending) {
    while (!spoiled_.empty() && spoiled_.front().count == 0) spoiled_.pop_front();
    if (spoiled_.empty()) return;
    auto& spoiled = spoiled_.front();
    --spoiled.count;
    switch (spoiled.fault) {
        case WebhookFault::lost:
            sending.lost = true;
            break;
        case WebhookFault::delayed:
            sending.due = steady_clock::now() + spoiled.delay;
            break;
        case WebhookFault::twice:
            sendings_.push_back(sending);
            break;
        case WebhookFault::forged: {
            auto forged = sending;
            forged.forged = true;
            forged.attempts_left = 0;
            auto body = OrderedJson::parse(forged.body);
            auto& data = body["data"];
            (data.contains("deliveries") ? data["deliveries"][0] : data)["event_log_entry_id"] =
                999'999'999'999;
            forged.body = body.dump();
            forged.token += " but not this one";
            sendings_.push_back(std::move(forged));
            break;
        }
    }
}

std::optional<Webhooks::Sending> Webhooks::next_due() {
    std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    const auto found = std::ranges::find_if(sendings_, [&](const Sending& s) { return s.due <= now; });
    if (found == sendings_.end()) return std::nullopt;
    auto out = std::move(*found);
    sendings_.erase(found);
    return out;
}

WebhookDelivery* Webhooks::record(std::size_t number) {
    const auto at = number - first_record_;
    return number < first_record_ || at >= records_.size() ? nullptr : &records_[at];
}

void Webhooks::send(Sending sending, const std::stop_token& stop) {
    PostAnswer answer;
    if (!sending.lost) {
        std::string delivery;
        std::uint64_t batch = 0;
        {
            std::lock_guard lock(mutex_);
            const auto* known = record(sending.record);
            delivery = known == nullptr ? new_uuid() : known->id;
            batch = batches_;
        }
        std::vector<std::string> headers{"accept: application/json",
                                         "content-type: application/json; charset=utf-8",
                                         "Expect:",
                                         "x-sg-webhook-id: " + sending.webhook,
                                         "x-sg-delivery-id: " + delivery,
                                         fmt::format("x-sg-event-batch-id: {}", batch),
                                         fmt::format("x-sg-event-batch-size: {}", sending.size),
                                         fmt::format("x-sg-event-batch-index: {}", sending.index),
                                         "x-sg-webhook-site-url: " + parts_.site_url() + "/"};
        if (!sending.token.empty())
            headers.push_back("x-sg-signature: " + webhook_signature(sending.token, sending.body));
        answer = post(sending.url, headers, sending.body, sending.limit, stop);
        if (stop.stop_requested()) return;
    }
    if (sending.forged) return;  // nobody on the site knows of it
    std::lock_guard lock(mutex_);
    const bool worked = sending.lost || (answer.status > 0 && answer.status < 400);
    if (auto* known = record(sending.record)) {
        known->attempts += sending.lost ? 0 : 1;
        known->response_code = answer.status;
        known->response_body = answer.body;
        known->done = worked || sending.attempts_left == 0;
        known->delivered = worked;
    }
    const auto hook = hooks_.find(sending.webhook);
    settle(hook == hooks_.end() ? nullptr : &hook->second, std::move(sending), worked);
}

/// Another try, or the end of it and what that makes of the webhook.
void Webhooks::settle(Hook* hook, Sending sending, bool worked) {
    if (hook == nullptr) return;
    if (!worked && sending.attempts_left > 0) {
        --sending.attempts_left;
        sending.due = steady_clock::now() + sending.pause;
        sending.pause *= 2;
        sendings_.push_back(std::move(sending));
        return;
    }
    if (!worked) hook->failures.push_back(now_);
    while (!hook->failures.empty() && hook->failures.front() <= now_ - failures_count_for)
        hook->failures.pop_front();
    if (hook->status == WebhookStatus::disabled || hook->status == WebhookStatus::failed) return;
    hook->status = hook->failures.empty()                     ? WebhookStatus::active
                   : hook->failures.size() < failures_allowed ? WebhookStatus::unstable
                                                              : WebhookStatus::failed;
    if (hook->status != WebhookStatus::failed) return;
    hook->events.clear();
    std::erase_if(sendings_, [&](const Sending& other) { return other.webhook == sending.webhook; });
}

}  // namespace sg::sandbox
