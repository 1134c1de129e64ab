#pragma once
// `sg::Site` inside a host: a call goes to the daemon and comes back as an answer.

#include <condition_variable>
#include <map>
#include <mutex>
#include <sg/site.hpp>
#include <stop_token>

#include "host/link/channel.hpp"
#include "host/run/link_turn.hpp"

namespace sg::host {

/// The calls of one host that wait for their answer.
///
/// Threads: any. At most `at_once` calls are on their way; more wait here.
class SiteCalls {
public:
    SiteCalls(HostChannel& channel, LinkTurn& turn) : channel_(channel), turn_(turn) {}
    void set_at_once(std::size_t at_once);

    /// Blocks until the answer, a stop request, or the end of the link. What `on_progress` throws comes out
    /// of it, and the call is given up.
    Result<std::string> call(Request request, std::stop_token stop, const OnProgress& on_progress = {});

    void answer(Answer answer);               ///< of a call that nobody waits for any more: dropped
    void progress(const Progress& progress);  ///< likewise
    void close();                             ///< every call ends with `stopped`, those to come too

private:
    struct Call {
        std::optional<Result<std::string>> answer;
        std::optional<Progress> news;  ///< not told yet
    };
    using Waiting = std::map<std::uint64_t, Call>;

    HostChannel& channel_;
    LinkTurn& turn_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    Waiting waiting_;
    std::size_t at_once_ = 1;
    std::uint64_t last_id_ = 0;
    bool closed_ = false;
};

/// What one call of a callback, or a registration, is handed.
///
/// Lifetime: outlived by the event and the token.
class SiteStub final : public Site {
public:
    struct From {
        std::optional<std::uint16_t> callback;
        const Event* event = nullptr;
    };
    SiteStub(SiteCalls& calls, From from, const std::stop_token& stop)
        : calls_(calls), from_(from), stop_(stop) {}
    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        return call_with_progress(method, arguments, {});
    }
    nlohmann::json call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                      const OnProgress& progress) override;

private:
    SiteCalls& calls_;
    const From from_;
    const std::stop_token& stop_;
};

/// The same for work that may outlive the call which began it.
class LastingSite final : public Site {
public:
    struct From {
        std::optional<std::uint16_t> callback;
        EventId event = 0;
        std::string session_uuid;
    };
    LastingSite(SiteCalls& calls, From from, std::stop_token stop)
        : calls_(calls), from_(std::move(from)), stop_(std::move(stop)) {}
    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        return call_with_progress(method, arguments, {});
    }
    nlohmann::json call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                      const OnProgress& progress) override;

private:
    SiteCalls& calls_;
    const From from_;
    const std::stop_token stop_;
};

}  // namespace sg::host
