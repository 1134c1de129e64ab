#include "sandbox/http_server.hpp"

#include <future>
#include <thread>

#include "sandbox/http_connection.hpp"
#include "util/thread.hpp"

namespace sg::sandbox {

using namespace detail;

class HttpServer::Impl : public Shared {
public:
    Impl(const std::string& address, std::uint16_t port, Handler answer, Store bodies)
        : acceptor_(io), paused_(io) {
        handler = std::move(answer);
        store = std::move(bodies);
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

HttpServer::HttpServer(const std::string& address, std::uint16_t port, Handler handler, Store store)
    : impl_(std::make_shared<Impl>(address, port, std::move(handler), std::move(store))) {
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
