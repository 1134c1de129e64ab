#include "site/transfer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace sg::site {
namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    // Options that this libcurl knows fail for lack of memory only.
    if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

long ms(milliseconds time) { return static_cast<long>(std::max<std::int64_t>(1, time.count())); }

Cause cause_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return Cause::timed_out;
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_UNSUPPORTED_PROTOCOL:  // what speaks is not HTTP
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_FILESIZE_EXCEEDED:
        case CURLE_WRITE_ERROR:
            return Cause::bad_answer;
        case CURLE_OUT_OF_MEMORY:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_FAILED_INIT:
            return Cause::internal;
        default:
            return Cause::network;
    }
}

}  // namespace

/// What happens during one exchange, as the callbacks of libcurl see it.
class Connection::Transfer {
public:
    Transfer(std::string_view body, Resend resend, const Limits& limits)
        : body_(body), resend_(resend), limits_(limits) {}

    std::array<char, CURL_ERROR_SIZE> error_text{};
    std::string received;

    std::size_t body_size() const { return body_.size(); }
    Resend resend() const { return resend_; }
    bool too_big() const { return too_big_; }

    static std::size_t give_body(char* out, std::size_t size, std::size_t count, void* self) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        const auto n = std::min(size * count, t.body_.size() - t.given_);
        std::memcpy(out, t.body_.data() + t.given_, n);
        t.given_ += n;
        t.moved_ = std::chrono::steady_clock::now();
        return n;
    }
    static int rewind_body(void* self, curl_off_t offset, int origin) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > t.body_.size())
            return CURL_SEEKFUNC_FAIL;
        t.given_ = static_cast<std::size_t>(offset);
        return CURL_SEEKFUNC_OK;
    }
    /// Called when a request is about to be sent. A second time means that the first may have arrived.
    static int before_sending(void* self, char*, char*, int, int) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        t.moved_ = std::chrono::steady_clock::now();
        if (t.sends_++ > 0 && t.resend_ == Resend::never) return CURL_PREREQFUNC_ABORT;
        return CURL_PREREQFUNC_OK;
    }
    static std::size_t take_header(char*, std::size_t size, std::size_t count, void* self) noexcept {
        static_cast<Transfer*>(self)->count(size * count);
        return size * count;
    }
    static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) noexcept try {
        auto& t = *static_cast<Transfer*>(self);
        t.count(size * count);
        t.too_big_ = t.too_big_ || size * count > t.limits_.answer_bytes - t.received.size();
        if (t.too_big_) return 0;
        t.received.append(data, size * count);
        return size * count;
    } catch (const std::bad_alloc&) {
        static_cast<Transfer*>(self)->too_big_ = true;
        return 0;
    }

    bool sent() const { return sends_ > 0; }

    /// Which of our own limits has passed, if one has; moves the window otherwise.
    const char* overdue(Time now) {
        if (now < deadline()) return nullptr;
        if (!window_) return "no byte of an answer came";
        if (in_window_ < limits_.slow_bytes) return "the answer came too slowly";
        window_ = now;
        in_window_ = 0;
        return nullptr;
    }
    /// Before the request is sent libcurl's own limits hold.
    Time deadline() const {
        if (window_) return *window_ + limits_.slow_window;
        return sent() ? moved_ + limits_.first_byte : Time::max();
    }

private:
    void count(std::size_t bytes) noexcept {
        if (!window_) window_ = std::chrono::steady_clock::now();
        in_window_ += bytes;
    }

    std::string_view body_;
    Resend resend_;
    const Limits& limits_;
    std::size_t given_ = 0;
    int sends_ = 0;
    Time moved_{};                // when something was last sent
    std::optional<Time> window_;  // begins with the answer
    std::size_t in_window_ = 0;
    bool too_big_ = false;
};

Connection::Connection(const Route& route)
    : route_(route), multi_(curl_multi_init()), easy_(curl_easy_init()) {
    // The last two stop libcurl from adding what it would: no Accept, and no waiting for a 100.
    for (const char* line : {"Content-Type: application/json; charset=utf-8", "Accept:", "Expect:"}) {
        auto* longer = curl_slist_append(headers_.get(), line);
        if (longer == nullptr) throw std::bad_alloc();
        (void)headers_.release();
        headers_.reset(longer);
    }
    if (!multi_ || !easy_) throw std::bad_alloc();
}

void Connection::set_options(Transfer& transfer) {
    CURL* easy = easy_.get();
    curl_easy_reset(easy);  // keeps the connection, forgets every option
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // or a stop would wait for a name that does not resolve
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(easy, CURLOPT_URL, route_.endpoint.url.c_str());
    set(easy, CURLOPT_USERAGENT, "sgeventd/" SG_VERSION);
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
    if (!route_.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, route_.ca_file.c_str());
        set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // in its place, not beside it
    }
    if (!route_.endpoint.user.empty() || !route_.endpoint.password.empty()) {
        set(easy, CURLOPT_HTTPAUTH, long{CURLAUTH_BASIC});
        set(easy, CURLOPT_USERNAME, route_.endpoint.user.c_str());
        set(easy, CURLOPT_PASSWORD, route_.endpoint.password.c_str());
    }

    if (route_.proxy) {
        set(easy, CURLOPT_PROXY, route_.proxy->host.c_str());
        set(easy, CURLOPT_PROXYTYPE, long{CURLPROXY_HTTP});
        set(easy, CURLOPT_PROXYPORT, long{route_.proxy->port});
        set(easy, CURLOPT_NOPROXY, "");
        set(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        if (!route_.proxy->user.empty() && !route_.proxy->password.empty()) {
            set(easy, CURLOPT_PROXYAUTH, long{CURLAUTH_BASIC});
            set(easy, CURLOPT_PROXYUSERNAME, route_.proxy->user.c_str());
            set(easy, CURLOPT_PROXYPASSWORD, route_.proxy->password.c_str());
        }
    } else if (!route_.proxy_from_environment) {
        set(easy, CURLOPT_PROXY, "");
    }

    // A body by callback: libcurl sends it again only where it can rewind it.
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.body_size()));
    set(easy, CURLOPT_READFUNCTION, &Transfer::give_body);
    set(easy, CURLOPT_READDATA, &transfer);
    if (transfer.resend() == Resend::before_an_answer) {
        set(easy, CURLOPT_SEEKFUNCTION, &Transfer::rewind_body);
        set(easy, CURLOPT_SEEKDATA, &transfer);
    } else {
        set(easy, CURLOPT_MAXAGE_CONN, 20L);  // a new connection rather than one that may be dead by now
    }
    set(easy, CURLOPT_PREREQFUNCTION, &Transfer::before_sending);
    set(easy, CURLOPT_PREREQDATA, &transfer);
    set(easy, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(easy, CURLOPT_HEADERDATA, &transfer);
    set(easy, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    set(easy, CURLOPT_WRITEDATA, &transfer);

    set(easy, CURLOPT_CONNECTTIMEOUT_MS, ms(route_.limits.connect));
    set(easy, CURLOPT_TIMEOUT_MS, ms(route_.limits.total));
    set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(route_.limits.answer_bytes));
}

HttpAnswer Connection::take_answer(Transfer& transfer) {
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    char* type = nullptr;
    if (curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr)
        answer.content_type = type;
    curl_off_t wait = 0;
    if (curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        answer.retry_after = std::chrono::seconds(std::min<curl_off_t>(wait, 365 * 86400));
    curl_header* date = nullptr;
    if (curl_easy_header(easy_.get(), "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK)
        if (const auto when = curl_getdate(date->value, nullptr); when > 0)
            answer.date = std::chrono::system_clock::from_time_t(when);
    answer.body = std::move(transfer.received);
    return answer;
}

Exchange Connection::post(std::string_view body, Resend resend, std::stop_token stop) {
    Transfer transfer(body, resend, route_.limits);
    set_options(transfer);
    CURLM* multi = multi_.get();
    std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });

    curl_multi_add_handle(multi, easy_.get());
    const char* late = nullptr;
    for (int running = 1;;) {
        if (stop.stop_requested() || curl_multi_perform(multi, &running) != CURLM_OK || running == 0) break;
        const auto now = std::chrono::steady_clock::now();
        if ((late = transfer.overdue(now)) != nullptr) break;
        const auto pause = std::min(now + milliseconds(1000), transfer.deadline()) - now;
        curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::chrono::ceil<milliseconds>(pause).count()),
                        nullptr);
    }
    std::optional<CURLcode> code;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    curl_multi_remove_handle(multi, easy_.get());  // an exchange cut short takes its socket along

    const auto ended = [&](Cause cause, std::string_view text) {
        return Exchange{fail(cause, "{}: {}", route_.endpoint.url, text), transfer.sent()};
    };
    if (code == CURLE_OK) return {take_answer(transfer), true};
    if (late != nullptr) return ended(Cause::timed_out, late);
    if (stop.stop_requested()) return ended(Cause::stopped, "stopped");
    if (!code) return ended(Cause::internal, "the HTTP library failed");
    if (transfer.too_big() || code == CURLE_FILESIZE_EXCEEDED)
        return ended(Cause::bad_answer,
                     fmt::format("the answer is larger than {} bytes", route_.limits.answer_bytes));
    if (resend == Resend::never && (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_SEND_FAIL_REWIND))
        return ended(Cause::network, "the connection was lost while sending; it may or may not have arrived");
    const auto* text =
        transfer.error_text.front() != 0 ? transfer.error_text.data() : curl_easy_strerror(*code);
    return ended(cause_of(*code), text);
}

}  // namespace sg::site
