#pragma once
// HTTP on a Unix socket and, if wanted, on a local port.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "util/result.hpp"

namespace sg::admin {

/// Who asks. On the socket the kernel vouches for it.
struct Caller {
    bool by_socket = false;
    uid_t uid = 0;
    pid_t pid = 0;
    std::string to_string() const;  ///< "uid 1000 (pia), pid 4711", or "the local port"
};

struct Request {
    std::string method;  ///< GET, POST
    std::string path;    ///< decoded, without the query
    std::string body;
    Caller caller;
    std::string signature{};  ///< the header x-sg-signature, of a webhook's delivery
    std::string token{};      ///< the header x-sgeventd-token, of the status page
};

struct Response {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
    bool live = false;  ///< keeps the connection open: what `publish` is given follows
};

/// One thread that serves all connections, so that it answers while everything else is stuck.
///
/// Limits: `connections` at once, heads of 8 kB, bodies of `largest_body`, 10 s for a request and for an
/// answer, a minute between two. On the port only requests whose Host is a name of this machine's loopback
/// are answered, so that no web page elsewhere can reach it through a name of its own; `Reach::anywhere`
/// lifts that.
///
/// Threads:  `publish` from any. The handler is called on the server's thread and must not block.
/// Lifetime: the destructor closes all connections and joins.
class Server {
public:
    /// From where the port can be reached, and under which names.
    enum class Reach : std::uint8_t { loopback, anywhere };
    struct Options {
        std::filesystem::path socket;  ///< empty: none; replaced if a dead daemon left it
        std::string address;           ///< `127.0.0.1:9464`, port 0: the system picks; empty: none
        std::size_t connections = 128;
        Reach reach = Reach::loopback;
        std::size_t largest_body = 64 << 10;
        const char* thread = "admin";  ///< its name
    };
    using Handler = std::function<Response(const Request&)>;

    /// Errors: `invalid` for an address that is none, or is not within reach; `internal` where
    /// it cannot listen.
    static Result<std::unique_ptr<Server>> start(Options options, Handler handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Sends what `text` returns, one line, to every live connection; one that is slow misses what comes
    /// meanwhile. `text` is called on the server's thread: what it costs, nobody else waits for.
    void publish(std::function<std::string()> text);

    /// Whether there is a live connection.
    bool is_watched() const noexcept;

    std::uint16_t port() const noexcept;  ///< 0: none

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sg::admin
