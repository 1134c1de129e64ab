#include "alerts/hook.hpp"

#include <nlohmann/json.hpp>

#include "site/transfer.hpp"

namespace sg::alerts {
namespace {

class HookSender final : public Sender {
public:
    HookSender(HookSettings settings, Origin origin) : origin_(std::move(origin)) {
        route_.endpoint.url = std::move(settings.url);
        route_.ca_file = settings.ca_file.string();
        route_.limits.connect = route_.limits.first_byte = route_.limits.total = settings.timeout;
        route_.limits.answer_bytes = std::size_t{1} << 20;
        route_.proxy_from_environment = true;
    }

    Result<void> send(const Message& message, std::stop_token stop) override {
        const auto body =
            to_json(message, origin_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        site::Connection connection(route_);
        auto exchange = connection.post(body, site::Resend::before_an_answer, std::move(stop));
        if (!exchange.answer) {
            auto why = std::move(exchange.answer.error());
            if (const auto shown = site::shown_url(route_.endpoint.url); why.message.starts_with(shown))
                why.message.replace(0, shown.size(), "the hook");
            return tl::unexpected(std::move(why));
        }
        const int status = exchange.answer->status;
        if (status / 100 != 2) return fail(Cause::bad_answer, "the hook answered with status {}", status);
        return {};
    }

private:
    const Origin origin_;
    site::Route route_;
};

}  // namespace

std::unique_ptr<Sender> make_hook_sender(HookSettings settings, Origin origin) {
    return std::make_unique<HookSender>(std::move(settings), std::move(origin));
}

}  // namespace sg::alerts
