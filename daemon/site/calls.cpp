#include "site/calls.hpp"

#include "site/json_text.hpp"
#include "site/secrets.hpp"
#include "site/wire.hpp"

namespace sg::site {

using nlohmann::json;

/// Puts before a failure what was tried, and takes out of it what nobody may read.
Failure Client::Calls::explained(Failure failure, std::string_view method, const CallOptions& options) const {
    Secrets secrets;
    secrets.add(options.script.key);
    secrets.add(route_.endpoint.password);
    if (route_.proxy) secrets.add(route_.proxy->password);
    // Struck out first: what is cut or escaped in the middle of a key would not be found any more.
    failure.message = fmt::format("calling {}: {}", method, printable(secrets.strike(failure.message), 1000));
    return failure;
}

Result<Client::Calls::Request> Client::Calls::as_script(std::string_view method, json parameters,
                                                        Repeat repeat, const CallOptions& options) {
    if (options.script.name.empty() || options.script.key.empty())
        return fail(Cause::authentication, "calling {}: there is no script and key to call as", method);
    auto body = envelope(method, auth_block(options), std::move(parameters));
    if (!body) return fail(std::move(body.error()), "calling {}", method);
    return Request{method, std::move(*body), options.script.name + '\0' + options.script.key, repeat};
}

Client::Calls::Attempt Client::Calls::attempt(const Request& request, const CallOptions& options) {
    auto connection = pool_.take(request.credential);
    const auto resend = request.repeat == Repeat::harmless ? Resend::before_an_answer : Resend::never;
    auto exchange = connection->post(request.body, resend, options.stop);
    if (!exchange.answer) {  // and the connection goes: what it would yield next belongs to this call
        const auto cause = exchange.answer.error().cause;
        const bool passing = cause == Cause::network || cause == Cause::timed_out;
        const bool repeat = request.repeat == Repeat::harmless || !exchange.may_have_left;
        return {std::move(exchange.answer), passing && repeat};
    }
    pool_.give_back(request.credential, std::move(connection));
    if (auto fine = check_http(*exchange.answer); !fine) {
        const bool passing = fine.error().cause == Cause::busy || fine.error().cause == Cause::timed_out;
        return {tl::unexpected(std::move(fine.error())), passing && request.repeat == Repeat::harmless};
    }
    return {std::move(exchange.answer), false};
}

Result<HttpAnswer> Client::Calls::send(const Request& request, const CallOptions& options) {
    const auto attempts = std::max(1U, options.attempts.value_or(settings_.attempts));
    Backoff backoff(settings_.backoff);
    for (std::uint32_t n = 1;; ++n) {
        auto tried = attempt(request, options);
        if (tried.answer) return std::move(tried.answer);
        auto failure = explained(std::move(tried.answer.error()), request.method, options);
        const auto pause =
            std::max(backoff.next(), failure.retry_after.value_or(std::chrono::milliseconds(0)));
        if (!tried.may_repeat || n >= attempts || pause > settings_.longest_wait) {
            if (n > 1) failure.message += fmt::format(" (attempt {} of {})", n, attempts);
            return tl::unexpected(std::move(failure));
        }
        const auto due = clock_.now() + pause;
        log_.debug("[SITE-RETRY] A call failed; trying again. method={} attempt={} wait_ms={} why=\"{}\"",
                   request.method, n, pause.count(), failure.message);
        if (!clock_.sleep_until(due, options.stop))
            return fail(Cause::stopped, "calling {}: stopped between attempts", request.method);
    }
}

Result<json> Client::Calls::call(std::string_view method, json parameters, Repeat repeat,
                                 const CallOptions& options, std::size_t* answer_bytes) {
    auto request = as_script(method, std::move(parameters), repeat, options);
    if (!request) return tl::unexpected(std::move(request.error()));
    auto answer = send(*request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (answer_bytes != nullptr) *answer_bytes = answer->body.size();
    auto results = read_results(answer->body);
    if (!results) return tl::unexpected(explained(std::move(results.error()), method, options));
    return results;
}

Result<RawAnswer> Client::Calls::call_raw(std::string_view method, json parameters, Repeat repeat,
                                          const CallOptions& options) {
    auto request = as_script(method, std::move(parameters), repeat, options);
    if (!request) return tl::unexpected(std::move(request.error()));
    auto answer = send(*request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (auto fine = check_fault(answer->body); !fine)
        return tl::unexpected(explained(std::move(fine.error()), method, options));
    return RawAnswer{std::move(answer->body), answer->date};
}

Result<json> Client::Calls::call_as_nobody(std::string_view method, const CallOptions& options) {
    auto body = envelope(method, nullptr, nullptr);
    if (!body) return fail(std::move(body.error()), "calling {}", method);
    auto answer = send({method, std::move(*body), {}, Repeat::harmless}, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    auto results = read_results(answer->body);
    if (!results) return tl::unexpected(explained(std::move(results.error()), method, options));
    return results;
}

}  // namespace sg::site
