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

constexpr long answer_buffer = 128L << 10;  // of libcurl's own: a page of events comes in few pieces
constexpr long file_buffer = 256L << 10;    // of libcurl's own, each way, while a file is on the way

struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList list_of(const std::vector<std::string>& lines) {
    HeaderList list;
    for (const auto& line : lines) {
        auto* longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        (void)list.release();
        list.reset(longer);
    }
    return list;
}

}  // namespace

/// What happens during one exchange, as the callbacks of libcurl see it.
class Connection::Transfer {
public:
    Transfer(const HttpRequest& asked, const Limits& limits, CURL* handle)
        : request(asked), easy(handle), limits_(limits) {}

    const HttpRequest& request;
    CURL* const easy;
    std::array<char, CURL_ERROR_SIZE> error_text{};
    std::string received;
    std::optional<Failure> refused;  // by the source or the sink

    bool too_big() const { return too_big_; }
    HttpAnswer head() const;

    static std::size_t give_body(char* out, std::size_t size, std::size_t count, void* self) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        return t.guarded(CURL_READFUNC_ABORT, [&] {
            auto n = t.request.body->read(out, size * count);
            t.moved_ = std::chrono::steady_clock::now();
            if (n) return *n;
            t.refused = std::move(n.error());
            return std::size_t{CURL_READFUNC_ABORT};
        });
    }
    static int rewind_body(void* self, curl_off_t offset, int origin) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        if (origin != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > t.request.body->size())
            return CURL_SEEKFUNC_FAIL;
        t.request.body->seek(static_cast<std::uint64_t>(offset));
        return CURL_SEEKFUNC_OK;
    }
    /// Called when a request is about to be sent. A second time means that the first may have arrived.
    static int before_sending(void* self, char*, char*, int, int) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        t.moved_ = std::chrono::steady_clock::now();
        if (t.sends_++ > 0 && t.request.resend == Resend::never) return CURL_PREREQFUNC_ABORT;
        return CURL_PREREQFUNC_OK;
    }
    static std::size_t take_header(char*, std::size_t size, std::size_t count, void* self) noexcept {
        static_cast<Transfer*>(self)->count(size * count);
        return size * count;
    }
    static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
        auto& t = *static_cast<Transfer*>(self);
        t.count(size * count);
        return t.guarded(0, [&] { return t.take({data, size * count}) ? size * count : 0; });
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
    /// No exception passes through libcurl.
    template <class Work>
    std::size_t guarded(std::size_t otherwise, const Work& work) noexcept {
        try {
            return work();
        } catch (const std::bad_alloc&) {
            too_big_ = true;
            return otherwise;
        }
    }

    bool take(std::string_view bytes) {
        if (request.sink != nullptr && !sinks_) {
            auto begun = request.sink->begin(head());
            if (!begun) {
                refused = std::move(begun.error());
                return false;
            }
            sinks_ = *begun;
        }
        if (sinks_.value_or(false)) {
            auto written = request.sink->write(bytes);
            if (!written) refused = std::move(written.error());
            return written.has_value();
        }
        too_big_ = too_big_ || bytes.size() > limits_.answer_bytes - received.size();
        if (!too_big_) received.append(bytes);
        return !too_big_;
    }

    void count(std::size_t bytes) noexcept {
        if (!window_) window_ = std::chrono::steady_clock::now();
        in_window_ += bytes;
    }

    const Limits& limits_;
    int sends_ = 0;
    Time moved_{};                // when something was last sent
    std::optional<Time> window_;  // begins with the answer
    std::size_t in_window_ = 0;
    std::optional<bool> sinks_;  // decided with the first byte
    bool too_big_ = false;
};

HttpAnswer Connection::Transfer::head() const {
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    curl_off_t wait = 0;
    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        answer.retry_after = std::chrono::seconds(std::min<curl_off_t>(wait, 365 * 86400));
    const auto header = [this](const char* name) {
        curl_header* found = nullptr;
        return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK
                   ? std::string(found->value)
                   : std::string();
    };
    answer.content_type = header("Content-Type");
    if (const auto date = header("Date"); !date.empty())
        if (const auto when = curl_getdate(date.c_str(), nullptr); when > 0)
            answer.date = std::chrono::system_clock::from_time_t(when);
    char* location = nullptr;
    if (curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location) == CURLE_OK && location != nullptr)
        answer.location = location;
    answer.etag = header("ETag");
    answer.last_modified = header("Last-Modified");
    answer.content_range = header("Content-Range");
    answer.disposition = header("Content-Disposition");
    curl_off_t length = -1;
    if (curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK && length >= 0)
        answer.content_length = static_cast<std::uint64_t>(length);
    return answer;
}

Result<std::size_t> TextBody::read(char* out, std::size_t most) {
    const auto n = std::min(most, text_.size() - given_);
    std::memcpy(out, text_.data() + given_, n);
    given_ += n;
    return n;
}

std::string shown_url(std::string_view url) {
    auto text = std::string(url.substr(0, url.find_first_of("?#")));
    const auto scheme = text.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    const auto host = std::string_view(text).substr(begin, text.find('/', begin) - begin);
    if (const auto at = host.rfind('@'); at != std::string_view::npos) text.erase(begin, at + 1);
    return text;
}

Connection::Connection(const Route& route)
    : route_(route), multi_(curl_multi_init()), easy_(curl_easy_init()) {
    if (!multi_ || !easy_) throw std::bad_alloc();
}

/// What the way to the site decides, whatever is asked.
void Connection::set_route() {
    CURL* easy = easy_.get();
    if (!route_.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, route_.ca_file.c_str());
        set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // in its place, not beside it
    }
    if (!route_.proxy) {
        if (!route_.proxy_from_environment) set(easy, CURLOPT_PROXY, "");
        return;
    }
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
}

/// A body by callback: libcurl sends it again only where it can rewind it.
void Connection::set_body(Transfer& transfer) {
    CURL* easy = easy_.get();
    const auto& request = transfer.request;
    if (request.verb == HttpRequest::Verb::get) {
        set(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    const auto size = static_cast<curl_off_t>(request.body->size());
    if (request.verb == HttpRequest::Verb::put) {
        set(easy, CURLOPT_UPLOAD, 1L);
        set(easy, CURLOPT_INFILESIZE_LARGE, size);
    } else {
        set(easy, CURLOPT_POST, 1L);
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
    }
    set(easy, CURLOPT_READFUNCTION, &Transfer::give_body);
    set(easy, CURLOPT_READDATA, &transfer);
    if (request.resend == Resend::before_an_answer) {
        set(easy, CURLOPT_SEEKFUNCTION, &Transfer::rewind_body);
        set(easy, CURLOPT_SEEKDATA, &transfer);
    }
}

void Connection::set_options(Transfer& transfer) {
    CURL* easy = easy_.get();
    const auto& request = transfer.request;
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // or a stop would wait for a name that does not resolve
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_USERAGENT, "sgeventd/" SG_VERSION);
    if (request.accepts_gzip) set(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
    const auto& endpoint = route_.endpoint;
    if (request.basic_auth && !(endpoint.user.empty() && endpoint.password.empty())) {
        set(easy, CURLOPT_HTTPAUTH, long{CURLAUTH_BASIC});
        set(easy, CURLOPT_USERNAME, endpoint.user.c_str());
        set(easy, CURLOPT_PASSWORD, endpoint.password.c_str());
    }
    set_route();
    set_body(transfer);
    if (request.resend == Resend::never)
        set(easy, CURLOPT_MAXAGE_CONN, 20L);  // a new connection rather than one that may be dead by now
    set(easy, CURLOPT_PREREQFUNCTION, &Transfer::before_sending);
    set(easy, CURLOPT_PREREQDATA, &transfer);
    set(easy, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(easy, CURLOPT_HEADERDATA, &transfer);
    set(easy, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    set(easy, CURLOPT_WRITEDATA, &transfer);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, ms(route_.limits.connect));
    if (request.takes_its_time) {
        set(easy, CURLOPT_BUFFERSIZE, file_buffer);
        set(easy, CURLOPT_UPLOAD_BUFFERSIZE, file_buffer);
    } else {
        set(easy, CURLOPT_BUFFERSIZE, answer_buffer);
        set(easy, CURLOPT_TIMEOUT_MS, ms(route_.limits.total));
        set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(route_.limits.answer_bytes));
    }
}

Exchange Connection::send(const HttpRequest& request, std::stop_token stop) {
    Transfer transfer(request, route_.limits, easy_.get());
    curl_easy_reset(easy_.get());  // keeps the connection, forgets every option
    const auto headers = list_of(request.headers);
    set(easy_.get(), CURLOPT_HTTPHEADER, headers.get());
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
        const auto way =
            route_.proxy ? fmt::format(" (through the proxy {}:{})", route_.proxy->host, route_.proxy->port)
                         : "";
        return Exchange{fail(cause, "{}: {}{}", shown_url(request.url), text, way), transfer.sent()};
    };
    if (code == CURLE_OK) {
        auto answer = transfer.head();
        answer.body = std::move(transfer.received);
        return {std::move(answer), true};
    }
    if (transfer.refused) return {tl::unexpected(std::move(*transfer.refused)), transfer.sent()};
    if (late != nullptr) return ended(Cause::timed_out, late);
    if (stop.stop_requested()) return ended(Cause::stopped, "stopped");
    if (!code) return ended(Cause::internal, "the HTTP library failed");
    if (transfer.too_big() || code == CURLE_FILESIZE_EXCEEDED)
        return ended(Cause::bad_answer,
                     fmt::format("the answer is larger than {} bytes", route_.limits.answer_bytes));
    if (request.resend == Resend::never &&
        (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_SEND_FAIL_REWIND))
        return ended(Cause::network, "the connection was lost while sending; it may or may not have arrived");
    const auto* text =
        transfer.error_text.front() != 0 ? transfer.error_text.data() : curl_easy_strerror(*code);
    return ended(cause_of(*code), text);
}

Exchange Connection::post(std::string_view body, Resend resend, std::stop_token stop) {
    TextBody source(body);
    HttpRequest request;
    request.url = route_.endpoint.url;
    // The last two stop libcurl from adding what it would: no Accept, and no waiting for a 100.
    request.headers = {"Content-Type: application/json; charset=utf-8", "Accept:", "Expect:"};
    request.body = &source;
    request.resend = resend;
    request.basic_auth = request.accepts_gzip = true;
    return send(request, std::move(stop));
}

}  // namespace sg::site
