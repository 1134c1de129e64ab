#include "site/calls.hpp"

#include "site/json_text.hpp"
#include "site/secrets.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

void add_secrets(Secrets& secrets, const CallOptions& options) {
    if (const auto* script = std::get_if<Script>(&options.credential)) secrets.add(script->key);
    if (const auto* session = std::get_if<Session>(&options.credential)) secrets.add(session->token);
    if (const auto* user = std::get_if<User>(&options.credential)) {
        secrets.add(user->password);
        secrets.add(user->auth_token);
    }
    if (options.extra_auth.is_object())
        for (const auto& value : options.extra_auth)
            if (value.is_string()) secrets.add(value.get_ref<const std::string&>());
}

/// What connections are told apart by: they serve whoever they served before, and nobody else.
std::string key_of(const CallOptions& options) {
    struct Visitor {
        std::string operator()(std::monostate) const { return {}; }
        std::string operator()(const Script& s) const { return "script " + s.name + '\0' + s.key; }
        std::string operator()(const User& u) const { return "user " + u.login + '\0' + u.password; }
        std::string operator()(const Session& s) const { return "session " + s.token; }
    };
    return std::visit(Visitor{}, options.credential);
}

bool may_pass(Cause cause) { return cause == Cause::network || cause == Cause::timed_out; }

std::string calling(std::string_view method) { return fmt::format("calling {}", method); }

}  // namespace

/// Puts before a failure what was tried, and takes out of it what nobody may read.
Failure Client::Calls::explained(Failure failure, const std::string& what, const CallOptions& options) const {
    Secrets secrets;
    add_secrets(secrets, options);
    secrets.add(route_.endpoint.password);
    if (route_.proxy) secrets.add(route_.proxy->password);
    // Struck out first: what is cut or escaped in the middle of a key would not be found any more.
    failure.message = fmt::format("{}: {}", what, printable(secrets.strike(failure.message), 1000));
    return failure;
}

Result<json> Client::Calls::auth(const CallOptions& options) {
    if (auto fine = check_complete(options.credential); !fine) return tl::unexpected(std::move(fine.error()));
    const bool session = std::holds_alternative<Session>(options.credential);
    Version site;
    if (session || !options.sudo_as_login.empty()) {
        const auto answer = version(options);
        if (!answer) return tl::unexpected(answer.error());
        site = *answer;
        if (session)
            if (auto fine = check_gate(gates::session_token, site); !fine)
                return tl::unexpected(fine.error());
        if (!options.sudo_as_login.empty())
            if (auto fine = check_gate(gates::sudo, site); !fine) return tl::unexpected(fine.error());
    }
    return auth_block(options, site);
}

Result<Client::Calls::Request> Client::Calls::with_credential(std::string_view method, json parameters,
                                                              Repeat repeat, const CallOptions& options) {
    const auto tried = [&](Failure why) { return fail(std::move(why), "calling {}", method); };
    auto block = auth(options);
    if (!block) return tried(std::move(block.error()));
    auto body = envelope(method, std::move(*block), std::move(parameters));
    if (!body) return tried(std::move(body.error()));
    return Request{method, std::move(*body), key_of(options), repeat, Expect::json};
}

Client::Calls::Attempt Client::Calls::attempt(const Request& request, const CallOptions& options) {
    auto connection = pool_.take(request.credential);
    const auto resend = request.repeat == Repeat::harmless ? Resend::before_an_answer : Resend::never;
    auto exchange = connection->post(request.body, resend, options.stop);
    if (!exchange.answer) {  // and the connection goes: what it would yield next belongs to this call
        const bool passing = may_pass(exchange.answer.error().cause);
        const bool repeat = request.repeat == Repeat::harmless || !exchange.may_have_left;
        return {std::move(exchange.answer), passing && repeat};
    }
    pool_.give_back(request.credential, std::move(connection));
    if (auto fine = check_http(*exchange.answer, request.expect); !fine) {
        const bool passing = fine.error().cause == Cause::busy || fine.error().cause == Cause::timed_out;
        return {tl::unexpected(std::move(fine.error())), passing && request.repeat == Repeat::harmless};
    }
    return {std::move(exchange.answer), false};
}

Client::Calls::Attempt Client::Calls::exchange(const HttpRequest& request, bool as_caller, Repeat repeat,
                                               const CallOptions& options) {
    const auto credential = as_caller ? key_of(options) : std::string();
    auto connection = pool_.take(credential);
    auto exchange = connection->send(request, options.stop);
    if (exchange.answer) {
        pool_.give_back(credential, std::move(connection));
        return {std::move(exchange.answer), false};
    }
    const bool again = repeat == Repeat::harmless || !exchange.may_have_left;
    const bool passing = may_pass(exchange.answer.error().cause);
    return {std::move(exchange.answer), again && passing};
}

Result<HttpAnswer> Client::Calls::persist(const std::string& what, const CallOptions& options,
                                          const std::function<Attempt()>& attempt,
                                          const std::function<std::uint64_t()>& progress) {
    const auto attempts = std::max(1U, options.attempts.value_or(settings_.attempts));
    Backoff backoff(settings_.backoff);
    std::uint64_t before = 0;
    for (std::uint32_t n = 1;; ++n) {
        auto tried = attempt();
        if (tried.answer) return std::move(tried.answer);
        if (const auto now = progress ? progress() : 0; now > before) {
            before = now;
            n = 1;
            backoff.reset();
        }
        auto failure = explained(std::move(tried.answer.error()), what, options);
        const auto pause =
            std::max(backoff.next(), failure.retry_after.value_or(std::chrono::milliseconds(0)));
        if (!tried.may_repeat || n >= attempts || pause > settings_.longest_wait) {
            if (n > 1) failure.message += fmt::format(" (attempt {} of {})", n, attempts);
            return tl::unexpected(std::move(failure));
        }
        const auto due = clock_.now() + pause;
        log_.debug("[SITE-RETRY] A call failed; trying again. what=\"{}\" attempt={} wait_ms={} why=\"{}\"",
                   what, n, pause.count(), failure.message);
        if (!clock_.sleep_until(due, options.stop))
            return fail(Cause::stopped, "{}: stopped between attempts", what);
    }
}

Result<HttpAnswer> Client::Calls::send(const Request& request, const CallOptions& options) {
    return persist(calling(request.method), options, [&] { return attempt(request, options); });
}

Result<json> Client::Calls::call(std::string_view method, json parameters, Repeat repeat,
                                 const CallOptions& options, std::size_t* answer_bytes) {
    auto request = with_credential(method, std::move(parameters), repeat, options);
    if (!request) return tl::unexpected(std::move(request.error()));
    auto answer = send(*request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (answer_bytes != nullptr) *answer_bytes = answer->body.size();
    auto results = read_results(answer->body);
    if (!results) return tl::unexpected(explained(std::move(results.error()), calling(method), options));
    return results;
}

Result<RawAnswer> Client::Calls::call_raw(std::string_view method, json parameters, Repeat repeat,
                                          const CallOptions& options) {
    auto request = with_credential(method, std::move(parameters), repeat, options);
    if (!request) return tl::unexpected(std::move(request.error()));
    auto answer = send(*request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (auto fine = check_fault(answer->body); !fine)
        return tl::unexpected(explained(std::move(fine.error()), calling(method), options));
    return RawAnswer{std::move(answer->body), answer->date};
}

Result<std::string> Client::Calls::call_text(std::string_view method, json parameters, Repeat repeat,
                                             const CallOptions& options) {
    auto request = with_credential(method, std::move(parameters), repeat, options);
    if (!request) return tl::unexpected(std::move(request.error()));
    request->expect = Expect::anything;
    auto answer = send(*request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (!is_json(*answer)) return std::move(answer->body);
    auto results = read_results(answer->body);
    if (!results) return tl::unexpected(explained(std::move(results.error()), calling(method), options));
    if (!results->is_string()) return fail(Cause::bad_answer, "calling {}: the answer is no text", method);
    return results->get<std::string>();
}

Result<json> Client::Calls::call_as_nobody(std::string_view method, const CallOptions& options) {
    auto body = envelope(method, nullptr, nullptr);
    if (!body) return fail(std::move(body.error()), "calling {}", method);
    auto answer = send({method, std::move(*body), {}, Repeat::harmless, Expect::json}, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    auto results = read_results(answer->body);
    if (!results) return tl::unexpected(explained(std::move(results.error()), calling(method), options));
    return results;
}

std::optional<Version> Client::Calls::known_version() const {
    std::lock_guard lock(mutex_);
    return version_;
}

Result<Version> Client::Calls::version(const CallOptions& options) {
    if (const auto known = known_version()) return *known;
    const auto info = call_as_nobody("info", options);
    if (!info) return tl::unexpected(info.error());
    auto version = Version::from_info(*info);
    if (!version) return fail(std::move(version.error()), "calling info");
    std::lock_guard lock(mutex_);
    return *(version_ = *version);
}

}  // namespace sg::site
