// The daemon's HTTP server, through real sockets.

#include "admin/server.hpp"

#include <curl/curl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "catch.hpp"
#include "temp_dir.hpp"
#include "util/fd.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::TempDir;
using test::wait_for;

namespace {

admin::Response echo(const admin::Request& request) {
    if (request.path == "/live") return {200, "text/event-stream", "retry: 1\n\n", true};
    return {200, "text/plain",
            request.method + " " + request.path + " " + request.body +
                (request.caller.by_socket ? " socket" : " port"),
            false};
}

std::size_t collect(char* data, std::size_t, std::size_t size, void* to) {
    static_cast<std::string*>(to)->append(data, size);
    return size;
}

struct Answer {
    long status = 0;  // 0: none
    std::string body;
};

Answer ask(const std::string& url, const std::filesystem::path& socket = {}, const std::string& host = {}) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
    Answer answer;
    curl_slist* headers = host.empty() ? nullptr : curl_slist_append(nullptr, ("Host: " + host).c_str());
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> kept(headers, &curl_slist_free_all);
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    if (headers != nullptr) curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
    if (!socket.empty()) curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
    if (curl_easy_perform(curl.get()) == CURLE_OK)
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
}

/// A connection that speaks for itself.
UniqueFd connect_to(const std::filesystem::path& socket) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, socket.c_str(), sizeof name.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) fd.reset();
    return fd;
}

std::string read_some(int fd) {
    std::array<char, 4096> space{};
    const auto n = ::read(fd, space.data(), space.size());
    return n > 0 ? std::string(space.data(), static_cast<std::size_t>(n)) : std::string();
}

std::unique_ptr<admin::Server> start(const TempDir& dir, admin::Server::Options options = {}) {
    options.socket = dir / "control.sock";
    auto server = admin::Server::start(options, &echo);
    REQUIRE(server);
    return std::move(*server);
}

}  // namespace

TEST_CASE("a server for other machines answers under every name, on every address") {
    const TempDir dir;
    admin::Server::Options options;
    options.address = "0.0.0.0:0";
    CHECK_FALSE(admin::Server::start(options, &echo));
    options.reach = admin::Server::Reach::anywhere;
    const auto server = start(dir, options);
    const auto url = "http://127.0.0.1:" + std::to_string(server->port()) + "/x";
    CHECK(ask(url, {}, "hooks.studio.example").body == "GET /x  port");
}

TEST_CASE("the socket and the port answer, and say which they are") {
    const TempDir dir;
    admin::Server::Options options;
    options.address = "127.0.0.1:0";
    const auto server = start(dir, options);
    CHECK(ask("http://localhost/a?b=c", dir / "control.sock").body == "GET /a  socket");
    CHECK(ask("http://127.0.0.1:" + std::to_string(server->port()) + "/x").body == "GET /x  port");
}

TEST_CASE("on the port a name that is not this machine's is refused, so no web page gets in by its own") {
    const TempDir dir;
    admin::Server::Options options;
    options.address = "127.0.0.1:0";
    const auto server = start(dir, options);
    const auto url = "http://127.0.0.1:" + std::to_string(server->port()) + "/";
    for (const std::string host :
         {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1].evil"}) {
        INFO(host);
        CHECK(ask(url, {}, host).status == 403);
    }
    for (const std::string host : {"localhost", "localhost:1", "127.0.0.1:2", "[::1]", "[::1]:3"}) {
        INFO(host);
        CHECK(ask(url, {}, host).status == 200);
    }
}

TEST_CASE("an address that others can reach, or that is none, is refused") {
    for (const std::string address : {"0.0.0.0:1", "192.0.2.1:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                                      "127.0.0.1:65536", ":80", "site.example:80"}) {
        INFO(address);
        admin::Server::Options options;
        options.address = address;
        CHECK_FALSE(admin::Server::start(options, &echo));
    }
}

TEST_CASE(
    "C122 the socket is its user's alone, replaces what a dead daemon left, and is removed at the end") {
    const TempDir dir;
    const auto path = dir / "control.sock";
    {
        const UniqueFd left(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
        REQUIRE(::bind(left.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    }
    {
        const auto server = start(dir);
        CHECK(ask("http://localhost/", path).status == 200);
        struct stat mode {};
        REQUIRE(::stat(path.c_str(), &mode) == 0);
        CHECK((mode.st_mode & 0777) == 0600);
        admin::Server::Options options;
        options.socket = path;
        CHECK_FALSE(admin::Server::start(options, &echo));  // one that lives is not replaced
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("stalled clients keep nobody else from an answer") {
    const TempDir dir;
    const auto server = start(dir);
    std::vector<UniqueFd> stalled;
    for (int i = 0; i < 20; ++i) {
        stalled.push_back(connect_to(dir / "control.sock"));
        REQUIRE(stalled.back());
        REQUIRE(::write(stalled.back().get(), "GET / HT", 8) == 8);
    }
    CHECK(ask("http://localhost/", dir / "control.sock").status == 200);
}

TEST_CASE("what is no HTTP, too long, or one too many is closed") {
    const TempDir dir;
    admin::Server::Options options;
    options.connections = 3;
    const auto server = start(dir, options);
    const auto path = dir / "control.sock";
    SECTION("no HTTP") {
        const auto fd = connect_to(path);
        REQUIRE(::send(fd.get(), "\x16\x03\x01 hello\r\n\r\n", 12, MSG_NOSIGNAL) == 12);
        CHECK(read_some(fd.get()).empty());
    }
    SECTION("a head without end") {
        const auto fd = connect_to(path);
        const std::string head = "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x');
        static_cast<void>(::send(fd.get(), head.data(), head.size(), MSG_NOSIGNAL));
        CHECK(read_some(fd.get()).empty());
    }
    SECTION("one too many") {
        std::vector<UniqueFd> held;
        for (int i = 0; i < 3; ++i) held.push_back(connect_to(path));
        const auto more = connect_to(path);
        CHECK(read_some(more.get()).empty());
        held.clear();
        CHECK(wait_for([&] { return ask("http://localhost/", path).status == 200; }));
    }
    CHECK(ask("http://localhost/", path).status == 200);
}

TEST_CASE("a live connection is told what is published until it ends") {
    const TempDir dir;
    const auto server = start(dir);
    CHECK_FALSE(server->is_watched());
    auto fd = connect_to(dir / "control.sock");
    const std::string request = "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    REQUIRE(::write(fd.get(), request.data(), request.size()) == static_cast<ssize_t>(request.size()));
    std::string heard;
    const auto hear = [&](const std::string& what, const std::string& publish = {}) {
        return wait_for([&] {
            if (!publish.empty()) server->publish([publish] { return publish; });
            std::array<char, 4096> space{};
            const auto n = ::recv(fd.get(), space.data(), space.size(), MSG_DONTWAIT);
            if (n > 0) heard.append(space.data(), static_cast<std::size_t>(n));
            return heard.find(what) != std::string::npos;
        });
    };
    REQUIRE(hear("retry: 1\n\n"));
    CHECK(heard.find("text/event-stream") != std::string::npos);
    REQUIRE(wait_for([&] { return server->is_watched(); }));
    // What comes while something is being written is left out, so it is said again.
    CHECK(hear("data: {\"one\":1}\n\n", "{\"one\":1}"));
    fd.reset();
    CHECK(wait_for([&] {
        server->publish([] { return "more"; });
        return !server->is_watched();
    }));
}

TEST_CASE("a live connection that does not read costs the others nothing") {
    const TempDir dir;
    const auto server = start(dir);
    const auto deaf = connect_to(dir / "control.sock");
    const std::string request = "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    REQUIRE(::write(deaf.get(), request.data(), request.size()) == static_cast<ssize_t>(request.size()));
    REQUIRE(wait_for([&] { return server->is_watched(); }));
    for (int i = 0; i < 200; ++i) server->publish([] { return std::string(100'000, 'x'); });
    CHECK(ask("http://localhost/", dir / "control.sock").status == 200);
}
