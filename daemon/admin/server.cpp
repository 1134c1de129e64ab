#include "admin/server.hpp"

#include <utility>  // first: Asio 1.74 uses std::exchange without it

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "util/thread.hpp"

namespace sg::admin {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Stream = beast::basic_stream<net::generic::stream_protocol>;
using Descriptor = net::posix::stream_descriptor;

constexpr auto request_time = std::chrono::seconds(10);
constexpr auto idle_time = std::chrono::seconds(60);

class Session;

struct Shared {
    net::io_context io{1};
    Server::Handler handler;
    std::size_t limit = 0, largest_body = 0;
    Server::Reach reach = Server::Reach::loopback;
    std::set<std::shared_ptr<Session>> open;  // server thread only
    std::atomic<int> live{0};                 // connections
};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool is_loopback(std::string_view host) {
    if (const auto colon = host.rfind(':');
        colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
        host = host.substr(0, colon);
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

class Session : public std::enable_shared_from_this<Session> {
public:
    Session(Shared& shared, Stream::socket_type socket, Caller caller)
        : shared_(shared), stream_(std::move(socket)), caller_(std::move(caller)) {}

    void read(std::chrono::seconds at_most) {
        parser_.emplace();
        parser_->header_limit(8192);
        parser_->body_limit(shared_.largest_body);
        stream_.expires_after(at_most);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return self->close();
                             self->answer();
                         });
    }

    /// For live connections.
    void send(const std::shared_ptr<const std::string>& text) {
        if (!live_ || writing_) return;
        writing_ = true;
        stream_.expires_after(request_time);
        net::async_write(stream_, net::buffer(*text),
                         [self = shared_from_this(), text](error_code error, std::size_t) {
                             self->writing_ = false;
                             if (error) return self->close();
                             self->stream_.expires_never();
                         });
    }

    void close() {
        error_code ignored;
        if (std::exchange(live_, false)) --shared_.live;
        stream_.socket().shutdown(Stream::socket_type::shutdown_both, ignored);
        stream_.socket().close(ignored);
        shared_.open.erase(shared_from_this());
    }

private:
    void answer() {
        const auto& message = parser_->get();
        Response response;
        if (!caller_.by_socket && shared_.reach == Server::Reach::loopback &&
            !is_loopback(view(message[http::field::host]))) {
            response = {403, "text/plain", "This address is not one of the daemon's.\n", false};
        } else {
            Request request{std::string(view(message.method_string())),
                            std::string(view(message.target())),
                            message.body(),
                            caller_,
                            std::string(view(message["x-sg-signature"])),
                            std::string(view(message["x-sgeventd-token"]))};
            request.path = request.path.substr(0, request.path.find('?'));
            response = shared_.handler(request);
        }
        respond(std::move(response), message.keep_alive(), message.method() == http::verb::head);
    }

    void respond(Response response, bool keep_alive, bool only_head) {
        live_ = response.live;
        if (live_) ++shared_.live;
        answer_ = std::make_unique<http::response<http::string_body>>();
        answer_->result(response.status);
        answer_->version(11);
        answer_->set(http::field::content_type, response.type);
        answer_->set(http::field::cache_control, "no-store");
        answer_->set("X-Content-Type-Options", "nosniff");
        answer_->set("X-Frame-Options", "DENY");
        answer_->set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
        answer_->body() = std::move(response.body);
        answer_->keep_alive(keep_alive && !live_);
        if (!live_) answer_->prepare_payload();
        if (only_head) answer_->body().clear();
        writing_ = true;
        stream_.expires_after(request_time);
        http::async_write(stream_, *answer_, [self = shared_from_this()](error_code error, std::size_t) {
            self->writing_ = false;
            // Without a length the end of the body is the end of the connection, which Beast calls an error.
            if (self->live_ && (!error || error == http::error::end_of_stream)) return self->watch_for_end();
            if (error || !self->answer_->keep_alive()) return self->close();
            self->read(idle_time);
        });
    }

    /// Nothing more is expected from a live connection but its end.
    void watch_for_end() {
        stream_.expires_never();
        stream_.socket().async_read_some(net::buffer(dropped_),
                                         [self = shared_from_this()](error_code error, std::size_t) {
                                             if (error) return self->close();
                                             self->watch_for_end();
                                         });
    }

    Shared& shared_;
    Stream stream_;
    Caller caller_;
    beast::flat_buffer buffer_{64 << 10};
    std::optional<http::request_parser<http::string_body>> parser_;
    std::unique_ptr<http::response<http::string_body>> answer_;
    std::array<char, 64> dropped_{};
    bool live_ = false, writing_ = false;
};

Caller caller_of(int fd, int family) {
    Caller caller;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (family == AF_UNIX && ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        caller = {true, peer.uid, peer.pid};
    return caller;
}

void accept_on(Shared& shared, Descriptor& listener, int family) {
    listener.async_wait(Descriptor::wait_read, [&shared, &listener, family](error_code error) {
        if (error) return;
        const int fd = ::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0 && shared.open.size() >= shared.limit) {
            ::close(fd);
        } else if (fd >= 0) {
            auto session = std::make_shared<Session>(
                shared, Stream::socket_type(shared.io, net::generic::stream_protocol(family, 0), fd),
                caller_of(fd, family));
            shared.open.insert(session);
            session->read(request_time);
        }
        accept_on(shared, listener, family);
    });
}

tl::unexpected<Failure> cannot(const std::string& what) {
    return fail(Cause::internal, "cannot listen on {}: {}", what, std::strerror(errno));
}

Result<int> listen_on_socket(const std::filesystem::path& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const auto text = path.string();
    if (text.size() >= sizeof name.sun_path)
        return fail(Cause::invalid, "the path of the socket is too long: {} (at most {} bytes)", text,
                    sizeof name.sun_path - 1);
    std::memcpy(name.sun_path, text.c_str(), text.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return cannot(text);
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    struct stat there {};
    if (::lstat(text.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
        if (::connect(fd, address, sizeof name) == 0) {
            ::close(fd);
            return fail(Cause::internal, "somebody listens on {} already", text);
        }
        if (errno == ECONNREFUSED) ::unlink(text.c_str());  // left by a daemon that was killed
    }
    // Nobody can connect before it listens, so the mode is right from the first connection on.
    if (::bind(fd, address, sizeof name) != 0 || ::chmod(text.c_str(), 0600) != 0 || ::listen(fd, 64) != 0) {
        auto why = cannot(text);
        ::close(fd);
        return why;
    }
    return fd;
}

Result<std::pair<int, std::uint16_t>> listen_on_port(const std::string& text, Server::Reach reach) {
    const auto colon = text.rfind(':');
    error_code error;
    const auto host = text.substr(0, colon);
    const auto address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    unsigned port = 0;
    const auto digits = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error || digits.empty() || bad != std::errc{} || end != digits.data() + digits.size() || port > 65535)
        return fail(Cause::invalid, "not an address: {} (127.0.0.1:9464)", text);
    if (reach == Server::Reach::loopback && !address.is_loopback())
        return fail(Cause::invalid, "{} can be reached from other machines; put a web server before it",
                    text);
    const net::ip::tcp::endpoint at(address, static_cast<std::uint16_t>(port));
    const int fd = ::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    net::ip::tcp::endpoint bound = at;
    auto size = static_cast<socklen_t>(bound.capacity());
    if (fd < 0 || ::bind(fd, at.data(), static_cast<socklen_t>(at.size())) != 0 || ::listen(fd, 64) != 0 ||
        ::getsockname(fd, bound.data(), &size) != 0) {
        auto why = cannot(text);
        if (fd >= 0) ::close(fd);
        return why;
    }
    return std::pair{fd, bound.port()};
}

}  // namespace

std::string Caller::to_string() const {
    if (!by_socket) return "the local port";
    std::array<char, 4096> space{};
    passwd entry{}, *found = nullptr;
    ::getpwuid_r(uid, &entry, space.data(), space.size(), &found);
    return fmt::format("uid {} ({}), pid {}", uid, found != nullptr ? found->pw_name : "?", pid);
}

class Server::Impl {
public:
    Impl(Options options, Handler handler) : options_(std::move(options)) {
        shared_.handler = std::move(handler);
        shared_.limit = options_.connections;
        shared_.largest_body = options_.largest_body;
        shared_.reach = options_.reach;
    }
    ~Impl() {
        net::post(shared_.io, [this] {
            for (auto* listener : {&socket_, &port_}) {
                error_code ignored;
                if (listener->is_open()) listener->close(ignored);
            }
            const auto open = shared_.open;
            for (const auto& session : open) session->close();
            work_.reset();
        });
        if (thread_.joinable()) thread_.join();
        if (made_socket_) ::unlink(options_.socket.c_str());
    }

    Result<void> listen() {
        if (!options_.socket.empty()) {
            const auto fd = listen_on_socket(options_.socket);
            if (!fd) return tl::unexpected(fd.error());
            made_socket_ = true;
            socket_.assign(*fd);
            accept_on(shared_, socket_, AF_UNIX);
        }
        if (!options_.address.empty()) {
            const auto bound = listen_on_port(options_.address, options_.reach);
            if (!bound) return tl::unexpected(bound.error());
            number_ = bound->second;
            port_.assign(bound->first);
            accept_on(shared_, port_, options_.address.starts_with('[') ? AF_INET6 : AF_INET);
        }
        thread_ = start_thread(options_.thread, [this](std::stop_token) { shared_.io.run(); });
        return {};
    }

    void publish(std::function<std::string()> text) {
        net::post(shared_.io, [this, text = std::move(text)] {
            if (shared_.live == 0) return;
            const auto line = std::make_shared<const std::string>("data: " + text() + "\n\n");
            const auto open = shared_.open;
            for (const auto& session : open) session->send(line);
        });
    }

    bool is_watched() const noexcept { return shared_.live > 0; }
    std::uint16_t port() const noexcept { return number_; }

private:
    Options options_;
    Shared shared_;
    std::optional<net::executor_work_guard<net::io_context::executor_type>> work_{
        net::make_work_guard(shared_.io)};
    Descriptor socket_{shared_.io}, port_{shared_.io};
    bool made_socket_ = false;
    std::uint16_t number_ = 0;
    std::jthread thread_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(Options options, Handler handler) {
    auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
    if (auto listening = impl->listen(); !listening) return tl::unexpected(listening.error());
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::publish(std::function<std::string()> text) { impl_->publish(std::move(text)); }
bool Server::is_watched() const noexcept { return impl_->is_watched(); }
std::uint16_t Server::port() const noexcept { return impl_->port(); }

}  // namespace sg::admin
