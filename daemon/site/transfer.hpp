#pragma once
// One HTTP exchange at a time, over a connection that is kept.

#include <curl/curl.h>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <sg/types.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

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

    // Of answers that are or lead to files; empty where there was none.
    std::string location;  ///< absolute
    std::string etag;      ///< with its quotes
    std::string last_modified;
    std::string content_range;
    std::string disposition;
    std::optional<std::uint64_t> content_length;
};

/// The body of a request, a piece at a time.
///
/// Threads: the one that sends.
class BodySource {
public:
    virtual ~BodySource() = default;
    virtual std::uint64_t size() const = 0;
    /// Fills `out` from where the last call ended; 0 bytes at the end. A failure ends the exchange.
    virtual Result<std::size_t> read(char* out, std::size_t most) = 0;
    /// The next byte read is this one.
    virtual void seek(std::uint64_t offset) = 0;
};

/// Where the body of an answer goes, a piece at a time.
///
/// Threads: the one that sends.
class BodySink {
public:
    virtual ~BodySink() = default;
    /// Once, before the first byte and after the head; false: the body is kept in the answer instead.
    virtual Result<bool> begin(const HttpAnswer& head) = 0;
    /// A failure ends the exchange.
    virtual Result<void> write(std::string_view bytes) = 0;
};

struct HttpRequest {
    enum class Verb { get, post, put };
    Verb verb = Verb::post;
    std::string url;                   ///< with whatever a signed one has behind the `?`
    std::vector<std::string> headers;  ///< lines; one that ends with a colon takes out what libcurl adds
    BodySource* body = nullptr;        ///< not with `get`
    BodySink* sink = nullptr;          ///< null: the whole answer is kept, up to a limit
    Resend resend = Resend::never;
    bool basic_auth = false;      ///< user and password of the base URL go along
    bool accepts_gzip = false;    ///< never with a sink: what is counted is what is written
    bool takes_its_time = false;  ///< a file: no limit on the whole, those on standing still hold
};

/// How an exchange ended.
struct Exchange {
    Result<HttpAnswer> answer;   ///< of any status; redirects are not followed
    bool may_have_left = false;  ///< a byte of the request may have reached somebody
};

/// A URL fit for a message: without user, password, or what is behind the `?`, where signatures are.
std::string shown_url(std::string_view url);

/// A body that lies in memory.
class TextBody final : public BodySource {
public:
    explicit TextBody(std::string_view text) : text_(text) {}
    std::uint64_t size() const override { return text_.size(); }
    Result<std::size_t> read(char* out, std::size_t most) override;
    void seek(std::uint64_t offset) override { given_ = static_cast<std::size_t>(offset); }

private:
    std::string_view text_;
    std::size_t given_ = 0;
};

/// Threads:  one call at a time; any thread.
/// Lifetime: `route` outlives it. Whoever gets a failure drops the connection: the socket behind it
///           may hold the rest of an answer.
class Connection {
public:
    explicit Connection(const Route& route);

    /// Blocks until the answer is whole, a limit passes (`timed_out`), or a stop is requested
    /// (`stopped`, within a millisecond). What a source or sink refuses is the failure.
    Exchange send(const HttpRequest& request, std::stop_token stop);

    /// Posts a JSON body to the endpoint.
    Exchange post(std::string_view body, Resend resend, std::stop_token stop);

private:
    struct FreeEasy {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };
    struct FreeMulti {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
    };
    class Transfer;

    void set_options(Transfer& transfer);
    void set_route();
    void set_body(Transfer& transfer);

    const Route& route_;
    std::unique_ptr<CURLM, FreeMulti> multi_;  // holds the socket between exchanges
    std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace sg::site
