// Mail over libcurl: it speaks SMTP and builds the MIME parts.

#include "alerts/mail.hpp"

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>

#include "util/mail_address.hpp"

namespace sg::alerts {
namespace {

using std::chrono::milliseconds;

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* it) const noexcept {
        Free(it);
    }
};
using Easy = std::unique_ptr<CURL, Freeing<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Freeing<curl_multi_cleanup>>;
using Mime = std::unique_ptr<curl_mime, Freeing<curl_mime_free>>;
using List = std::unique_ptr<curl_slist, Freeing<curl_slist_free_all>>;

template <class Value>
void set(const Easy& easy, CURLoption option, Value value) {
    if (curl_easy_setopt(easy.get(), option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

void append(List& list, const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
}

std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::string with_crlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        if (c != '\r') out += c;
    }
    return out;
}

/// What libcurl says of its own accord tells the cause.
Cause cause_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return Cause::timed_out;
        case CURLE_LOGIN_DENIED:
            return Cause::authentication;
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST:
            return Cause::network;
        default:
            return Cause::bad_answer;
    }
}

class MailSender final : public Sender {
public:
    MailSender(MailSettings settings, Origin origin)
        : settings_(std::move(settings)), origin_(std::move(origin)) {}

    Result<void> send(const Message& message, std::stop_token stop) override {
        if (!settings_.user.empty() && settings_.tls == Tls::none && !settings_.allow_plain_login)
            return fail(
                Cause::invalid,
                "a login without TLS would show the password to anybody on the way, and is not allowed");
        if (message.to.empty()) return {};
        if (stop.stop_requested()) return fail(Cause::stopped, "stopped");
        const Easy easy(curl_easy_init());
        const Multi multi(curl_multi_init());
        if (!easy || !multi) throw std::bad_alloc();
        const auto url = this->url();
        set_server(easy, url);
        List to, headers = this->headers(message);
        for (const auto& address : message.to) append(to, "<" + address + ">");
        set(easy, CURLOPT_MAIL_FROM, ("<" + settings_.from + ">").c_str());
        set(easy, CURLOPT_MAIL_RCPT, to.get());
        set(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
        set(easy, CURLOPT_HTTPHEADER, headers.get());
        // Quoted-printable takes lines of any length and any UTF-8 through every server.
        const Mime mime(curl_mime_init(easy.get()));
        auto* part = curl_mime_addpart(mime.get());
        const auto body = with_crlf(body_text(message, origin_));
        curl_mime_data(part, body.data(), body.size());
        curl_mime_type(part, "text/plain; charset=utf-8");
        curl_mime_encoder(part, "quoted-printable");
        set(easy, CURLOPT_MIMEPOST, mime.get());
        return run(easy, multi, stop);
    }

private:
    std::string url() const {
        return fmt::format("{}://{}:{}/{}", settings_.tls == Tls::implicit ? "smtps" : "smtp",
                           settings_.server, settings_.port, origin_.host);
    }

    void set_server(const Easy& easy, const std::string& url) const {
        set(easy, CURLOPT_NOSIGNAL, 1L);
        set(easy, CURLOPT_QUICK_EXIT, 1L);
        set(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        set(easy, CURLOPT_URL, url.c_str());
        set(easy, CURLOPT_PROXY, "");
        set(easy, CURLOPT_UPLOAD, 1L);
        set(easy, CURLOPT_USE_SSL, settings_.tls == Tls::none ? long{CURLUSESSL_NONE} : long{CURLUSESSL_ALL});
        if (!settings_.ca_file.empty()) {
            set(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
            set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        }
        if (!settings_.user.empty()) {
            set(easy, CURLOPT_USERNAME, settings_.user.c_str());
            set(easy, CURLOPT_PASSWORD, settings_.password.c_str());
        }
        const auto limit = static_cast<long>(std::max<std::int64_t>(1, settings_.timeout.count()));
        set(easy, CURLOPT_CONNECTTIMEOUT_MS, limit);
        set(easy, CURLOPT_TIMEOUT_MS, limit);
    }

    /// No text from outside can end a header: addresses have no line breaks, and the rest is encoded.
    List headers(const Message& message) {
        const auto now = std::chrono::system_clock::now();
        const auto seconds = std::chrono::system_clock::to_time_t(now);
        const auto micros =
            std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
        const auto subject =
            settings_.subject + (settings_.subject.empty() ? "" : " ") + summary(message, origin_);
        List list;
        append(list, fmt::format("Date: {:%a, %d %b %Y %H:%M:%S +0000}", fmt::gmtime(seconds)));
        append(list, fmt::format("Message-ID: <{}.{}.{}@{}>", micros, ::getpid(), ++number_, origin_.host));
        append(list, "From: " + settings_.from);
        append(list, fmt::format("To: {}", fmt::join(message.to, ",\r\n ")));
        append(list, "Subject: " + header_text(subject));
        append(list, "Auto-Submitted: auto-generated");
        return list;
    }

    static int abort_if_stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
        return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
    }

    Result<void> run(const Easy& easy, const Multi& multi, const std::stop_token& stop) const {
        std::array<char, CURL_ERROR_SIZE> text{};
        set(easy, CURLOPT_ERRORBUFFER, text.data());
        // Taking a transfer away that is under way would wait for the server's farewell, two minutes if it
        // says none: a stop aborts it from within.
        set(easy, CURLOPT_NOPROGRESS, 0L);
        set(easy, CURLOPT_XFERINFOFUNCTION, &abort_if_stopped);
        set(easy, CURLOPT_XFERINFODATA, &stop);
        std::stop_callback wake(stop, [&multi] { curl_multi_wakeup(multi.get()); });
        curl_multi_add_handle(multi.get(), easy.get());
        for (int running = 1; running != 0;) {
            if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
            if (running != 0) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
        }
        std::optional<CURLcode> code;
        int left = 0;
        while (const CURLMsg* done = curl_multi_info_read(multi.get(), &left))
            if (done->msg == CURLMSG_DONE) code = done->data.result;
        curl_multi_remove_handle(multi.get(), easy.get());
        if (code == CURLE_OK) return {};
        const auto where = fmt::format("{}:{}", settings_.server, settings_.port);
        if (stop.stop_requested()) return fail(Cause::stopped, "{}: stopped", where);
        if (!code) return fail(Cause::internal, "{}: the mail library failed", where);
        return fail(cause_of(*code), "{}: {}", where,
                    text.front() != 0 ? text.data() : curl_easy_strerror(*code));
    }

    const MailSettings settings_;
    const Origin origin_;
    std::uint64_t number_ = 0;
};

}  // namespace

std::string header_text(std::string_view text) {
    const bool plain = text.find("=?") == std::string_view::npos && text.size() <= 900 &&
                       std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
    if (plain) return std::string(text);
    // An encoded word has at most 75 characters, and begins and ends between two characters.
    std::string out;
    while (!text.empty()) {
        auto size = std::min<std::size_t>(text.size(), 45);
        while (size < text.size() && size > 42 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
            --size;
        out += (out.empty() ? "=?utf-8?B?" : "\r\n =?utf-8?B?") + base64(text.substr(0, size)) + "?=";
        text.remove_prefix(size);
    }
    return out;
}

std::unique_ptr<Sender> make_mail_sender(MailSettings settings, Origin origin) {
    return std::make_unique<MailSender>(std::move(settings), std::move(origin));
}

}  // namespace sg::alerts
