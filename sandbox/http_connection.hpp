#pragma once
// One connection of the HTTP server. Private to http_server.cpp, and with all its code here: what it is made
// of takes the compiler long, and is so compiled once.

#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>  // first: Asio 1.74 uses std::exchange without it

#include "sandbox/http_server.hpp"

namespace sg::sandbox::detail {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = net::ip::tcp;

constexpr std::uint64_t largest_body = 256U << 20U;
constexpr std::uint64_t largest_stored = std::uint64_t{1} << 40U;
constexpr std::size_t piece_bytes = 256U << 10U;  // of a file, in memory at a time

class Connection;

/// What the connections share with their server. Gates may call from anywhere, even while the
/// server goes away: `post` then does nothing.
struct Shared : std::enable_shared_from_this<Shared> {
    net::io_context io{1};
    HttpServer::Handler handler;
    HttpServer::Store store;
    std::set<std::shared_ptr<Connection>> open;  // server thread only
    std::mutex mutex;
    bool gone = false;

    void post(std::function<void()> work) {
        std::lock_guard lock(mutex);
        if (!gone) net::post(io, std::move(work));
    }
};

/// Reads one request after another from a socket, and delivers each answer in the way that it asks for.
///
/// Threads: the server's only.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Shared& shared, tcp::socket socket, std::uint64_t number)
        : shared_(shared), socket_(std::move(socket)), timer_(shared.io), number_(number) {}

    void read() {
        if (silent_) return;
        to_file_.reset();
        in_memory_.reset();
        head_parser_.emplace();
        head_parser_->body_limit(largest_stored);  // or a long body is refused with its head
        http::async_read_header(socket_, buffer_, *head_parser_,
                                [self = shared_from_this()](error_code error, std::size_t) {
                                    if (error) return self->fail();
                                    self->read_body();
                                });
    }
    /// What a failed read or write leads to; a silenced connection stays as it is.
    void fail() {
        if (!silent_) close();
    }
    void close() {
        error_code ignored;
        timer_.cancel();
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        shared_.open.erase(shared_from_this());
    }
    /// As if the line broke: what is unsent is thrown away, and the other side gets an RST.
    void reset() {
        error_code ignored;
        socket_.set_option(net::socket_base::linger(true, 0), ignored);
        timer_.cancel();
        socket_.close(ignored);
        shared_.open.erase(shared_from_this());
    }
    void silence() {
        silent_ = true;
        error_code ignored;
        timer_.cancel();
        socket_.cancel(ignored);
    }

private:
    void read_body() {
        const auto& head = head_parser_->get();
        request_ = {};
        request_.verb = std::string(head.method_string());
        request_.target = std::string(head.target());
        request_.connection = number_;
        for (const auto& field : head) {
            std::string name(field.name_string());
            std::transform(name.begin(), name.end(), name.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            request_.headers.emplace_back(std::move(name), std::string(field.value()));
        }
        request_.accepts_gzip = request_.header("accept-encoding").find("gzip") != std::string_view::npos;
        keep_alive_ = head.keep_alive();
        if (boost::beast::iequals(head[http::field::expect], "100-continue"))
            net::write(socket_, net::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), ignored_);
        const auto stored = shared_.store ? shared_.store(request_.verb, request_.target) : nullptr;
        if (stored == nullptr) {
            in_memory_.emplace(std::move(*head_parser_));
            in_memory_->body_limit(largest_body);
            return read_rest(*in_memory_);
        }
        request_.stored = stored;
        to_file_.emplace(std::move(*head_parser_));
        boost::beast::file_posix file;
        file.native_handle(::dup(stored->fd()));
        error_code error;
        to_file_->get().body().reset(std::move(file), error);
        if (error) return fail();
        read_rest(*to_file_);
    }

    template <class Parser>
    void read_rest(Parser& parser) {
        http::async_read(socket_, buffer_, parser,
                         [self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return self->fail();
                             self->serve();
                         });
    }

    void serve() {
        if (in_memory_) request_.body = std::move(in_memory_->get().body());
        to_file_.reset();
        answer_ = shared_.handler(request_);
        request_ = {};
        if (answer_.fate == nullptr) answer_.fate = std::make_shared<Fate>();
        const bool waits =
            answer_.gate != nullptr || answer_.delay.count() > 0 || answer_.delivery != Delivery::whole;
        if (waits) watch_client();
        if (answer_.delay.count() == 0) return wait_for_gate();
        after(answer_.delay, [this] { wait_for_gate(); });
    }

    /// Notices a client that leaves, or asks again, while its answer is held.
    void watch_client() {
        socket_.async_wait(
            tcp::socket::wait_read, [self = shared_from_this(), fate = answer_.fate](error_code error) {
                if (error || self->silent_ || fate->answered) return;
                char byte = 0;
                const auto got = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
                if (got > 0) {
                    fate->interleaved = true;
                } else if (got == 0 || errno != EAGAIN) {
                    fate->client_left = true;
                    self->close();
                }
            });
    }

    void wait_for_gate() {
        if (answer_.gate == nullptr) return deliver();
        answer_.gate->pass([shared = shared_.shared_from_this(), weak = weak_from_this()] {
            shared->post([weak] {
                if (const auto self = weak.lock()) self->deliver();
            });
        });
    }

    void deliver() {
        if (silent_ || !socket_.is_open()) return;
        error_code ignored;
        if (buffer_.size() > 0 || socket_.available(ignored) > 0) answer_.fate->interleaved = true;
        if (answer_.delivery == Delivery::close) return close();
        if (answer_.delivery == Delivery::reset) return reset();
        if (answer_.delivery == Delivery::nothing) return;
        make_head();
        const auto cut = std::min(answer_.cut_at.value_or(answer_.size() / 2), answer_.size());
        switch (answer_.delivery) {
            case Delivery::half_then_hang:
                return send(cut, [] {});
            case Delivery::half_then_close:
                return send(cut, [this] { close(); });
            case Delivery::drip:
                return send(0, [this] { drip(0); });
            default:
                return send(answer_.size(), [this] { done(); });
        }
    }

    void make_head() {
        http::response<http::empty_body> head{http::int_to_status(answer_.status), 11};
        head.result(answer_.status);
        for (const auto& [name, value] : answer_.headers) head.set(name, value);
        head.set(http::field::content_type, answer_.content_type);
        head.set(http::field::content_length, std::to_string(answer_.size()));
        head.keep_alive(keep_alive_);
        std::ostringstream text;
        text << head.base();
        head_ = text.str();
    }

    /// Sends the head and the first `bytes` of the body.
    void send(std::uint64_t bytes, std::function<void()> then) {
        const auto in_memory = answer_.content ? 0 : static_cast<std::size_t>(bytes);
        const std::array<net::const_buffer, 2> parts{net::buffer(head_),
                                                     net::buffer(answer_.body.data(), in_memory)};
        net::async_write(
            socket_, parts,
            [self = shared_from_this(), bytes, then = std::move(then)](error_code error, std::size_t) {
                if (error) return self->fail();
                if (self->answer_.content) return self->send_content(0, bytes, then);
                then();
            });
    }

    /// Sends what is left of the first `bytes` of a file, a piece after another.
    void send_content(std::uint64_t sent, std::uint64_t bytes, const std::function<void()>& then) {
        if (sent == bytes) return then();
        if (silent_) return;
        const auto n = load(sent, bytes - sent);
        if (n == 0) return fail();
        net::async_write(socket_, net::buffer(piece_),
                         [self = shared_from_this(), sent, bytes, n, then](error_code error, std::size_t) {
                             if (error) return self->fail();
                             self->send_content(sent + n, bytes, then);
                         });
    }

    /// Puts the next piece of the answer into `piece_`; how many bytes it has.
    std::size_t load(std::uint64_t from, std::uint64_t most) {
        piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(most, piece_bytes)));
        if (answer_.content)
            piece_.resize(answer_.content->read(answer_.content_offset + from, piece_.data(), piece_.size()));
        else
            answer_.body.copy(piece_.data(), piece_.size(), static_cast<std::size_t>(from));
        return piece_.size();
    }

    void drip(std::uint64_t sent) {
        if (sent == answer_.size()) return done();
        after(answer_.interval, [this, sent] {
            if (load(sent, 1) == 0) return fail();
            net::async_write(socket_, net::buffer(piece_),
                             [self = shared_from_this(), sent](error_code error, std::size_t) {
                                 if (error) return self->fail();
                                 self->drip(sent + 1);
                             });
        });
    }

    void done() {
        answer_.fate->answered = true;
        answer_ = {};
        if (!keep_alive_) return close();
        read();
    }

    void after(std::chrono::milliseconds pause, std::function<void()> work) {
        timer_.expires_after(pause);
        timer_.async_wait([self = shared_from_this(), work = std::move(work)](error_code error) {
            if (!error && !self->silent_ && self->socket_.is_open()) work();
        });
    }

    Shared& shared_;
    tcp::socket socket_;
    net::steady_timer timer_;
    const std::uint64_t number_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::empty_body>> head_parser_;
    std::optional<http::request_parser<http::string_body>> in_memory_;  // one of these two follows
    std::optional<http::request_parser<http::file_body>> to_file_;
    HttpRequest request_;
    HttpAnswer answer_;
    std::string head_, piece_;
    bool keep_alive_ = true, silent_ = false;
    error_code ignored_;
};

}  // namespace sg::sandbox::detail
