#include "service/panel.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace sg::service {
namespace {

constexpr std::chrono::seconds look_every{1};
constexpr std::chrono::milliseconds look_early{100};  // whoever starts the daemon looks at it then
constexpr std::chrono::seconds early{10};
constexpr std::chrono::milliseconds ask_again{10};
constexpr std::chrono::seconds tell_of_tokens_every{10};

const char* level_name(LogLevel level) {
    constexpr std::array names{"trace", "debug", "info", "warning", "error"};
    return names.at(static_cast<std::size_t>(level));
}

std::chrono::steady_clock::rep ticks() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

Panel::Panel(Loop& loop, Logger& log, Wiring wiring)
    : loop_(loop), log_(log), wiring_(std::move(wiring)), turned_(ticks()) {}

void Panel::open(const admin::Server::Options& options, std::string token) {
    desk_.accept(std::move(token));
    auto server = admin::Server::start(
        options, [this](const admin::Request& request) { return desk_.answer(request); });
    if (!server) {
        log_.error("[ADMIN-REFUSED] The daemon runs, and cannot be looked at or steered: {}.",
                   server.error().message);
        return;
    }
    server_ = std::move(*server);
    log_.info("[ADMIN] Status and control. socket={} address={}", options.socket.string(),
              server_->port() == 0 ? "none"
                                   : "http://" + options.address.substr(0, options.address.rfind(':')) + ":" +
                                         std::to_string(server_->port()));
    opened_ = loop_.clock().now();
    take();
}

void Panel::listen(const WebhookReceiver::Options& options) {
    if (options.address.empty()) return;
    auto receiver = WebhookReceiver::start(options, loop_.clock(), log_,
                                           [this] { loop_.post([this] { wiring_.poll_now(nullptr); }); });
    if (!receiver) {
        log_.error("[WEBHOOK-OFF] The site's webhook is not received; the daemon polls all the same: {}.",
                   receiver.error().message);
        return;
    }
    webhook_ = std::move(*receiver);
    log_.info("[WEBHOOK] Listening to the site's webhook. address={} port={}", options.address,
              webhook_->port());
}

void Panel::take() {
    turned_ = ticks();
    auto looked = wiring_.take();
    if (webhook_) looked.webhook = webhook_->counts();
    looked.daemon.takes_a_token = desk_.takes_a_token();
    looked.daemon.wrong_tokens = wrong_tokens_;
    auto taken = std::make_shared<const admin::Snapshot>(std::move(looked));
    {
        std::lock_guard lock(mutex_);
        last_ = taken;
        letters_ = wiring_.dispatcher.dead_letters();
    }
    if (server_->is_watched())
        server_->publish([taken] {
            return to_json(*taken).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        });
    const bool is_early = loop_.clock().now() < opened_ + early && !admin::readiness(*taken).ready;
    timer_ = loop_.after(is_early ? Clock::Duration(look_early) : look_every, [this] { take(); });
}

void Panel::refresh() {
    if (server_) take();
}

std::shared_ptr<const admin::Snapshot> Panel::snapshot() const {
    std::lock_guard lock(mutex_);
    return last_;
}

std::chrono::milliseconds Panel::loop_age() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::duration(ticks() - turned_.load()));
}

void Panel::poll_now(const std::string& caller) {
    loop_.post([this, caller] {
        log_.info("[POLL-NOW] Asked to look for events at once. by=[{}]", caller);
        wiring_.poll_now(nullptr);
    });
}

void Panel::reload(const std::string& plugin, const std::string& caller) {
    loop_.post([this, plugin, caller] {
        log_.info("[RELOADING] Asked to load {} anew. by=[{}]",
                  plugin.empty() ? "the configuration and every plugin" : plugin, caller);
        wiring_.reload(plugin);
    });
}

Panel::Letters Panel::dead_letters() const {
    std::lock_guard lock(mutex_);
    return letters_;
}

void Panel::retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller) {
    loop_.post([this, choice, caller] {
        wiring_.dispatcher.retry_letters(choice, caller);
        refresh();
    });
}

void Panel::drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller) {
    loop_.post([this, choice, caller] {
        wiring_.dispatcher.drop_letters(choice, caller);
        refresh();
    });
}

/// Somebody who guesses must not fill the log.
void Panel::on_wrong_token(const std::string& caller) {
    const auto tokens = ++wrong_tokens_;
    const auto now = ticks();
    const auto since = std::chrono::steady_clock::duration(now - told_of_token_.load());
    if (tokens > 1 && since < tell_of_tokens_every) return;
    told_of_token_ = now;
    log_.warning(
        "[WRONG-TOKEN] A request of the status page was refused: its token is not admin.token. so_far={} "
        "by=[{}]",
        tokens, caller);
}

std::uint64_t Panel::order(const admin::Order& order, const std::string& caller) {
    const auto number = orders_.add();
    loop_.post([this, order, caller, number] { carry_out(order, caller, number); });
    return number;
}

void Panel::set_log_level(LogLevel level, const std::string& plugin, const std::string& caller) {
    loop_.post([this, level, plugin, caller] {
        log_.info("[LOG-LEVEL] Asked to log from another level on. plugin={} level={} by=[{}]",
                  plugin.empty() ? "-" : plugin, level_name(level), caller);
        wiring_.set_log_level(plugin, level);
    });
}

void Panel::poll_and_wait(std::uint64_t number) {
    wiring_.poll_now([this, number] { wait_for_delivery(number, wiring_.level()); });
}

/// Asked rather than told: lanes have nobody to tell what they do for each event.
void Panel::wait_for_delivery(std::uint64_t number, EventId through) {
    if (wiring_.dispatcher.done_through() >= through) {
        waits_.erase(number);
        orders_.end(number,
                    {{"done", "delivered up to event " + std::to_string(through)}, {"event", through}});
    } else if (orders_.find(number)) {
        waits_[number] =
            loop_.after(ask_again, [this, number, through] { wait_for_delivery(number, through); });
    } else {
        waits_.erase(number);  // forgotten
    }
}

void Panel::carry_out(const admin::Order& order, const std::string& caller, std::uint64_t number) {
    using Act = admin::Order::Act;
    using To = admin::Order::To;
    if (order.act == Act::poll) {
        log_.info("[POLL-NOW] Asked to look for events at once. by=[{}]", caller);
        return poll_and_wait(number);
    }
    if (order.act == Act::explain)
        return orders_.end(number, {{"known", wiring_.explain(order.plugin, order.event)}});
    if (order.act == Act::enable || order.act == Act::disable)
        return wiring_.set_enabled(order.plugin, order.act == Act::enable, caller,
                                   [this, number, plugin = order.plugin](const Result<std::string>& result) {
                                       if (!result) return orders_.fail(number, result.error().message);
                                       orders_.end(number, {{"done", *result}, {"plugin", plugin}});
                                       refresh();
                                   });
    dispatch::Steering what;
    what.plugin = order.plugin;
    what.caller = caller;
    what.act = order.act == Act::pause    ? dispatch::Steering::Act::pause
               : order.act == Act::resume ? dispatch::Steering::Act::resume
               : order.act == Act::seek   ? dispatch::Steering::Act::seek
               : order.act == Act::retry  ? dispatch::Steering::Act::retry
                                          : dispatch::Steering::Act::skip;
    if (order.act == Act::seek && order.to == To::event) what.next = order.event;
    if (order.act == Act::seek && order.to == To::earliest) what.next = 1;
    if (order.act != Act::seek || order.to != To::time) return steer(what, number);
    wiring_.first_since(order.time, [this, what, number](Result<EventId> first) mutable {
        if (!first) return orders_.fail(number, first.error().message);
        what.next = *first;
        steer(what, number);
    });
}

void Panel::steer(const dispatch::Steering& what, std::uint64_t number) {
    wiring_.dispatcher.steer(what, [this, number, plugin = what.plugin](Result<dispatch::Steered> result) {
        if (!result) return orders_.fail(number, result.error().message);
        nlohmann::json answer{{"done", result->text}, {"plugin", plugin}};
        if (result->next != 0) answer["next"] = result->next;
        if (result->first != 0) answer["skipped"] = {{"first", result->first}, {"last", result->last}};
        if (result->again_first != 0)
            answer["again"] = {{"first", result->again_first}, {"last", result->again_last}};
        orders_.end(number, std::move(answer));
        refresh();
    });
}

}  // namespace sg::service
