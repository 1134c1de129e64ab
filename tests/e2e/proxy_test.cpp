// A studio whose machines reach the site through a proxy only.

#include <boost/asio.hpp>

#include <list>
#include <mutex>
#include <thread>

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "e2e/scrape.hpp"

namespace {

namespace net = boost::asio;
using net::ip::tcp;
using nlohmann::json;
using sg::test::Daemon;
using sg::test::Home;
using sg::test::wait_for;

/// Opens tunnels for those who have the login, and leads them all to the same port of this machine, whatever
/// name they ask for: names that only the proxy knows.
class TunnelProxy {
public:
    TunnelProxy(unsigned short target, std::string authorization)
        : target_(target), authorization_(std::move(authorization)) {
        accept();
        thread_ = std::jthread([this] { context_.run(); });
    }
    ~TunnelProxy() { context_.stop(); }

    unsigned short port() const { return port_; }
    int tunnels() const { return tunnels_; }
    int refused() const { return refused_; }

private:
    /// One tunnel; lives as long as one of its two directions has something to do.
    struct Tunnel : std::enable_shared_from_this<Tunnel> {
        Tunnel(TunnelProxy& proxy_in, tcp::socket client_in)
            : proxy(proxy_in), client(std::move(client_in)), site(proxy.context_) {}

        void begin() {
            net::async_read_until(client, head, "\r\n\r\n",
                                  [self = shared_from_this()](auto error, auto size) {
                                      if (!error) self->judge(size);
                                  });
        }
        void judge(std::size_t size) {
            const std::string text(net::buffers_begin(head.data()),
                                   net::buffers_begin(head.data()) + static_cast<long>(size));
            const bool is_allowed =
                text.starts_with("CONNECT studio.invalid:80 ") &&
                (proxy.authorization_.empty() ||
                 text.find("Proxy-Authorization: " + proxy.authorization_ + "\r\n") != std::string::npos);
            ++(is_allowed ? proxy.tunnels_ : proxy.refused_);
            if (is_allowed) site.connect({net::ip::address_v4::loopback(), proxy.target_});
            answer = is_allowed ? "HTTP/1.1 200 OK\r\n\r\n"
                                : "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            net::async_write(client, net::buffer(answer),
                             [self = shared_from_this(), is_allowed](auto error, auto) {
                                 if (error || !is_allowed) return;
                                 self->relay(self->client, self->site, self->up);
                                 self->relay(self->site, self->client, self->down);
                             });
        }
        using Buffer = std::array<char, 16384>;
        void relay(tcp::socket& from, tcp::socket& to, Buffer& buffer) {
            from.async_read_some(net::buffer(buffer), [&, self = shared_from_this()](auto error, auto size) {
                boost::system::error_code ignored;
                if (error) {
                    to.shutdown(tcp::socket::shutdown_send, ignored);
                    return;
                }
                net::async_write(to, net::buffer(buffer, size), [&, self](auto failed, auto) {
                    if (!failed) self->relay(from, to, buffer);
                });
            });
        }

        TunnelProxy& proxy;
        tcp::socket client, site;
        net::streambuf head;
        std::string answer;
        Buffer up{}, down{};
    };

    void accept() {
        acceptor_.async_accept([this](auto error, tcp::socket socket) {
            if (error) return;
            std::make_shared<Tunnel>(*this, std::move(socket))->begin();
            accept();
        });
    }

    const unsigned short target_;
    const std::string authorization_;
    std::atomic<int> tunnels_{0}, refused_{0};
    net::io_context context_;
    tcp::acceptor acceptor_{context_, {net::ip::address_v4::loopback(), 0}};
    const unsigned short port_ = acceptor_.local_endpoint().port();
    std::jthread thread_;
};

}  // namespace

TEST_CASE("C95 all there is to say to a site goes through the proxy, and its loss is told by its name") {
    const bool with_login = GENERATE(false, true);
    CAPTURE(with_login);
    sg::sandbox::Site site;
    const auto project = site.add("Project", {{"name", "Demo"}});
    const auto target = std::stoi(site.url().substr(site.url().rfind(':') + 1));
    std::optional<TunnelProxy> proxy(std::in_place, static_cast<unsigned short>(target),
                                     with_login ? "Basic dmFsZXQ6b3Blbg==" : "");
    const auto address = "127.0.0.1:" + std::to_string(proxy->port());
    // A name that leads nowhere: whatever goes to it directly does not arrive.
    const Home home("http://studio.invalid",
                    {sg::test::scripted(
                        "writer", {{"filter", {{"Shotgun_Shot_New", nullptr}}},
                                   {"rules", {{{"do", "update"}, {"data", {{"description", "seen"}}}}}}})},
                    {{"site", {{"proxy", (with_login ? "valet:open@" : "") + address}}}});
    Daemon daemon(home);
    const bool is_followed = daemon.wait_until_followed({"writer"});
    INFO(daemon.log());
    REQUIRE(is_followed);
    const auto shot =
        site.create({}, "Shot", {{"code", "sh010"}, {"project", {{"type", "Project"}, {"id", project}}}});
    CHECK(wait_for([&] { return site.value("Shot", shot, "description") == "seen"; }));
    CHECK(proxy->tunnels() >= 1);
    CHECK(proxy->refused() == 0);

    proxy.reset();
    CHECK(daemon.wait_for_log("[SITE-LOST]"));
    CHECK(daemon.wait_for_log("proxy"));
    CHECK(daemon.wait_for_log(address));
    const auto requests = site.request_count();  // what was on its way has arrived
    CHECK(wait_for([&] { return sg::test::scrape(home)["sgeventd_site_query_failures_total"] >= 2; }));
    CHECK(site.request_count() == requests);
    CHECK(daemon.count_in_log("open@") == 0);
    CHECK(daemon.terminate().code == 0);
}
