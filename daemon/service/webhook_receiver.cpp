#include "service/webhook_receiver.hpp"

#include <utility>

namespace sg::service {
namespace {

using admin::Delivery;

constexpr std::chrono::minutes between_lines{1};
constexpr std::size_t largest_delivery = 8
                                         << 20;  // 50 events of a batch, none of which is above 1 MB by much

unsigned status_of(Delivery delivery) {
    switch (delivery) {
        case Delivery::accepted:
            return 200;
        case Delivery::forged:
            return 403;
        case Delivery::unreadable:
            return 400;
        case Delivery::old:
        case Delivery::replayed:
            break;
    }
    return 409;
}

}  // namespace

WebhookReceiver::WebhookReceiver(std::string token, Clock& clock, Logger& log, std::function<void()> on_hint)
    : clock_(clock), log_(log), on_hint_(std::move(on_hint)), check_(std::move(token), clock) {}

Result<std::unique_ptr<WebhookReceiver>> WebhookReceiver::start(const Options& options, Clock& clock,
                                                                Logger& log, std::function<void()> on_hint) {
    std::unique_ptr<WebhookReceiver> made(new WebhookReceiver(options.token, clock, log, std::move(on_hint)));
    admin::Server::Options server;
    server.address = options.address;
    server.reach = admin::Server::Reach::anywhere;
    server.largest_body = largest_delivery;
    server.connections = 32;
    server.thread = "webhook";
    auto started = admin::Server::start(
        server, [receiver = made.get()](const auto& request) { return receiver->answer(request); });
    if (!started) return tl::unexpected(started.error());
    made->server_ = std::move(*started);
    return made;
}

admin::WebhookView WebhookReceiver::counts() const {
    std::lock_guard lock(mutex_);
    return counts_;
}

admin::Response WebhookReceiver::answer(const admin::Request& request) {
    if (request.method != "POST") return {405, "text/plain", "only POST is answered\n", false};
    const auto delivery = check_.check(request.signature, request.body);
    {
        std::lock_guard lock(mutex_);
        ++counts_.deliveries[static_cast<std::size_t>(delivery)];
    }
    if (delivery == Delivery::accepted)
        on_hint_();
    else
        tell(delivery);
    return {status_of(delivery), "text/plain", std::string(to_string(delivery)) + "\n", false};
}

void WebhookReceiver::tell(Delivery delivery) {
    const auto now = clock_.now();
    if (told_ && now - *told_ < between_lines) {
        ++untold_;
        return;
    }
    log_.warning(
        "[WEBHOOK-REFUSED] A delivery was refused; events are found by polling all the same. why={} "
        "refused_before={}",
        to_string(delivery), std::exchange(untold_, 0));
    told_ = now;
}

}  // namespace sg::service
