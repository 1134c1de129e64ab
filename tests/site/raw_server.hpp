#pragma once
// A server that says exactly the bytes a test wants, for faults below HTTP.

#include <atomic>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "util/fd.hpp"

namespace sg::test {

/// One request as it came, and on which of the connections, counted from 0.
struct RawRequest {
    std::size_t connection = 0;
    std::string head;  ///< request line and headers
    std::string body;
    bool more_behind = false;  ///< bytes of another request were there before this one was answered

    nlohmann::json json() const { return nlohmann::json::parse(body); }
    std::string method() const { return json()["method_name"].get<std::string>(); }
    nlohmann::json auth() const { return json()["params"][0]; }
    nlohmann::json parameters() const { return json()["params"][1]; }
    /// The value of a header, empty if there is none.
    std::string header(std::string_view name) const;
};

/// One end of a connection, in the hands of a test's handler.
class RawPeer {
public:
    explicit RawPeer(int fd) : fd_(fd) {}
    void send(std::string_view bytes);
    void close();  ///< in an orderly way
    void reset();  ///< with RST
    void hang();   ///< says nothing until the other side gives up or the server ends
    bool is_open() const { return open_; }

private:
    int fd_;
    bool open_ = true;
};

/// Listens on a port of the system's choice; calls the handler for each request, on the thread of its
/// connection. What is recorded may be read from any thread.
class RawServer {
public:
    using Handler = std::function<void(const RawRequest&, RawPeer&)>;

    explicit RawServer(Handler handler) : RawServer(std::move(handler), "127.0.0.1", 0) {}
    RawServer(Handler handler, const char* address, std::uint16_t port);
    ~RawServer();

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int port() const { return port_; }
    std::vector<RawRequest> requests() const;
    std::size_t count() const { return requests().size(); }
    std::size_t connections() const { return accepted_; }

private:
    void accept_all();
    void serve(int fd, std::size_t number);

    Handler handler_;
    UniqueFd listener_;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::vector<RawRequest> requests_;
    std::vector<UniqueFd> open_;
    std::vector<std::jthread> serving_;
    std::atomic<std::size_t> accepted_{0};
    std::atomic<bool> ending_{false};
    std::jthread accepting_;
};

/// A whole answer.
std::string http(std::string_view body, int status = 200, std::string_view headers = "",
                 std::string_view type = "application/json; charset=utf-8");

/// `{"results": …}` as an answer.
std::string results(const nlohmann::json& value);
/// One page of rows.
std::string rows(const nlohmann::json& entities, const nlohmann::json& paging_info = nullptr);

}  // namespace sg::test
