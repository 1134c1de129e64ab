#pragma once
// One HTTP exchange at a time, over a connection that is kept.

#include <curl/curl.h>
#include <chrono>
#include <memory>
#include <optional>
#include <sg/types.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "site/endpoint.hpp"
#include "site/limits.hpp"
#include "util/result.hpp"

namespace sg::site {

/// What is the same for every exchange with one site.
struct Route {
    Endpoint endpoint;
    std::optional<Proxy> proxy;
    bool proxy_from_environment = false;
    std::string ca_file;
    Limits limits;
};

/// Whether the HTTP library may send the request once more by itself, when a kept-alive connection
/// turns out to be dead before a byte was answered.
enum class Resend { never, before_an_answer };

struct HttpAnswer {
    int status = 0;
    std::string body;
    std::string content_type;
    std::optional<std::chrono::milliseconds> retry_after;
    std::optional<UtcTime> date;
};

/// How an exchange ended.
struct Exchange {
    Result<HttpAnswer> answer;   ///< of any status
    bool may_have_left = false;  ///< a byte of the request may have reached somebody
};

/// Threads:  one call at a time; any thread.
/// Lifetime: `route` outlives it. Whoever gets a failure drops the connection: the socket behind it
///           may hold the rest of an answer.
class Connection {
public:
    explicit Connection(const Route& route);

    /// Posts a JSON body. Blocks until the answer is whole, a limit passes (`timed_out`), or a stop is
    /// requested (`stopped`, within a millisecond).
    Exchange post(std::string_view body, Resend resend, std::stop_token stop);

private:
    struct FreeEasy {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };
    struct FreeMulti {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
    };
    struct FreeList {
        void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
    };
    class Transfer;

    void set_options(Transfer& transfer);
    HttpAnswer take_answer(Transfer& transfer);

    const Route& route_;
    std::unique_ptr<curl_slist, FreeList> headers_;
    std::unique_ptr<CURLM, FreeMulti> multi_;  // holds the socket between exchanges
    std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace sg::site
