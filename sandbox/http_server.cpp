#include "sandbox/http_server.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <future>
#include <set>
#include <sstream>
#include <utility>  // first: Asio 1.74 uses std::exchange without it

#include "util/thread.hpp"

namespace sg::sandbox {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = net::ip::tcp;

constexpr std::uint64_t largest_body = 256U << 20U;

class Connection;

/// What the connections share with their server. Gates may call from anywhere, even while the
/// server goes away: `post` then does nothing.
struct Shared : std::enable_shared_from_this<Shared> {
    net::io_context io{1};
    HttpServer::Handler handler;
    std::set<std::shared_ptr<Connection>> open;  // server thread only
    std::mutex mutex;
    bool gone = false;

    void post(std::function<void()> work) {
        std::lock_guard lock(mutex);
        if (!gone) net::post(io, std::move(work));
    }
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Shared& shared, tcp::socket socket, std::uint64_t number)
        : shared_(shared), socket_(std::move(socket)), timer_(shared.io), number_(number) {}

    void read() {
        if (silent_) return;
        parser_.emplace();
        parser_->body_limit(largest_body);
        http::async_read_header(socket_, buffer_, *parser_,
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
        if (boost::beast::iequals(parser_->get()[http::field::expect], "100-continue"))
            net::write(socket_, net::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), ignored_);
        http::async_read(socket_, buffer_, *parser_,
                         [self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return self->fail();
                             self->serve();
                         });
    }

    void serve() {
        auto request = parser_->release();
        keep_alive_ = request.keep_alive();
        const std::string_view encodings(request[http::field::accept_encoding].data(),
                                         request[http::field::accept_encoding].size());
        answer_ = shared_.handler(HttpRequest{std::string(request.method_string()),
                                              std::string(request.target()), std::move(request.body()),
                                              number_, encodings.find("gzip") != std::string_view::npos});
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
        const auto& body = answer_.body;
        switch (answer_.delivery) {
            case Delivery::half_then_hang:
                return send(body.size() / 2, [] {});
            case Delivery::half_then_close:
                return send(body.size() / 2, [this] { close(); });
            case Delivery::drip:
                return send(0, [this] { drip(0); });
            default:
                return send(body.size(), [this] { done(); });
        }
    }

    void make_head() {
        http::response<http::empty_body> head{http::int_to_status(answer_.status), 11};
        head.result(answer_.status);
        for (const auto& [name, value] : answer_.headers) head.set(name, value);
        head.set(http::field::content_type, answer_.content_type);
        head.set(http::field::content_length, std::to_string(answer_.body.size()));
        head.keep_alive(keep_alive_);
        std::ostringstream text;
        text << head.base();
        head_ = text.str();
    }

    /// Sends the head and the first `bytes` of the body.
    void send(std::size_t bytes, std::function<void()> then) {
        const std::array<net::const_buffer, 2> parts{net::buffer(head_),
                                                     net::buffer(answer_.body.data(), bytes)};
        net::async_write(socket_, parts,
                         [self = shared_from_this(), then = std::move(then)](error_code error, std::size_t) {
                             if (error) return self->fail();
                             then();
                         });
    }

    void drip(std::size_t sent) {
        if (sent == answer_.body.size()) return done();
        after(answer_.interval, [this, sent] {
            net::async_write(socket_, net::buffer(answer_.body.data() + sent, 1),
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
    std::optional<http::request_parser<http::string_body>> parser_;
    HttpAnswer answer_;
    std::string head_;
    bool keep_alive_ = true, silent_ = false;
    error_code ignored_;
};

}  // namespace

class HttpServer::Impl : public Shared {
public:
    Impl(const std::string& address, std::uint16_t port, Handler answer) : acceptor_(io), paused_(io) {
        handler = std::move(answer);
        const auto host = net::ip::make_address(address);
        // A port that the system picked is let go when listening ends; one that was asked for by
        // number is not. So the number is found out first, and held until it is ours.
        tcp::acceptor finder(io);
        bind(finder, {host, port});
        endpoint_ = finder.local_endpoint();
        bind(acceptor_, endpoint_);
        finder.close();
        listen();
    }

    void start() {
        thread_ = start_thread("sandbox-http", [this](const std::stop_token&) {
            const auto work = net::make_work_guard(io);
            io.run();
        });
    }
    void stop() {
        {
            std::lock_guard lock(mutex);
            gone = true;
        }
        io.stop();
        thread_.join();
        close_all();
        error_code ignored;
        acceptor_.close(ignored);
    }

    /// Runs `work` on the server's thread and waits for it.
    void run(const std::function<void()>& work) {
        if (io.get_executor().running_in_this_thread()) return work();
        std::promise<void> done;
        net::post(io, [&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    void later(std::chrono::milliseconds pause, std::function<void()> work) {
        const auto timer = std::make_shared<net::steady_timer>(io, pause);
        timer->async_wait([timer, work = std::move(work)](error_code error) {
            if (!error) work();
        });
    }

    void refuse() {
        listening_ = false;
        error_code ignored;
        acceptor_.cancel(ignored);
        ::shutdown(acceptor_.native_handle(), SHUT_RD);  // ends listening; the port stays bound
        close_all();
    }
    void resume() {
        ignoring_ = false;
        for (auto& socket : std::exchange(ignored_sockets_, {})) serve(std::move(socket));
        if (!listening_) listen();
    }
    void ignore() { ignoring_ = true; }
    void close_all() {
        ignored_sockets_.clear();
        for (const auto& connection : std::set(open)) connection->close();
    }
    void silence_all() {
        for (const auto& connection : open) connection->silence();
    }
    std::uint16_t port() const noexcept { return endpoint_.port(); }

private:
    static void bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
    }
    void listen() {
        acceptor_.listen();
        listening_ = true;
        accept();
    }
    void accept() {
        acceptor_.async_accept([this, round = ++round_](error_code error, tcp::socket socket) {
            if (!listening_ || round != round_) return;
            if (error) return accept_later();  // out of descriptors, most likely
            if (ignoring_)
                ignored_sockets_.push_back(std::move(socket));
            else
                serve(std::move(socket));
            accept();
        });
    }
    void accept_later() {
        paused_.expires_after(std::chrono::milliseconds(50));
        paused_.async_wait([this](error_code error) {
            if (!error && listening_) accept();
        });
    }
    void serve(tcp::socket socket) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto connection = std::make_shared<Connection>(*this, std::move(socket), ++accepted_);
        open.insert(connection);
        connection->read();
    }

    // Everything below belongs to the server's thread while it runs.
    tcp::acceptor acceptor_;
    net::steady_timer paused_;
    tcp::endpoint endpoint_;
    std::vector<tcp::socket> ignored_sockets_;
    bool listening_ = false, ignoring_ = false;
    std::uint64_t accepted_ = 0, round_ = 0;
    std::jthread thread_;
};

HttpServer::HttpServer(const std::string& address, std::uint16_t port, Handler handler)
    : impl_(std::make_shared<Impl>(address, port, std::move(handler))) {
    impl_->start();
}
HttpServer::~HttpServer() { impl_->stop(); }
std::uint16_t HttpServer::port() const noexcept { return impl_->port(); }
void HttpServer::refuse() {
    impl_->run([this] { impl_->refuse(); });
}
void HttpServer::ignore() {
    impl_->run([this] { impl_->ignore(); });
}
void HttpServer::accept() {
    impl_->run([this] { impl_->resume(); });
}
void HttpServer::close_connections() {
    impl_->run([this] { impl_->close_all(); });
}
void HttpServer::silence_connections() {
    impl_->run([this] { impl_->silence_all(); });
}
void HttpServer::later(std::chrono::milliseconds pause, std::function<void()> work) {
    // The timer is made on the server's thread, for timers may only be touched there.
    net::post(impl_->io, [impl = impl_.get(), pause, work = std::move(work)] { impl->later(pause, work); });
}
std::size_t HttpServer::connections() const {
    std::size_t count = 0;
    impl_->run([&] { count = impl_->open.size(); });
    return count;
}

}  // namespace sg::sandbox
