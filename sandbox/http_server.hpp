#pragma once
// HTTP/1.1 on one thread, and the ways in which an answer can fail to arrive.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/content.hpp"
#include "sandbox/gate.hpp"
#include "sandbox/journal.hpp"

namespace sg::sandbox {

struct HttpRequest {
    std::string verb, target, body;
    std::uint64_t connection = 0;
    bool accepts_gzip = false;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::shared_ptr<const StoredBody> stored;                  ///< the body, where it went to the disk

    /// Empty where there is none.
    std::string_view header(std::string_view name) const noexcept {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return {};
    }
};

enum class Delivery { whole, nothing, half_then_hang, half_then_close, drip, close, reset };

struct HttpAnswer {
    unsigned status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body;
    /// In place of `body`: so many bytes of a file from here on.
    std::shared_ptr<const Content> content;
    std::uint64_t content_offset = 0, content_bytes = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::uint64_t> cut_at;  ///< where a delivery of half a body ends; unset: in the middle
    Delivery delivery = Delivery::whole;
    std::chrono::milliseconds interval{0}, delay{0};
    std::shared_ptr<Gate> gate;
    std::shared_ptr<Fate> fate;

    std::uint64_t size() const noexcept { return content ? content_bytes : body.size(); }
};

/// Listens on a port and answers each request with what `handler` makes of it.
///
/// Threads:  `handler` runs on the server's own thread ("sandbox-http"), one call at a time; every
///           member may be called from any thread and, `later` excepted, blocks until that thread has done
///           it.
/// Lifetime: the destructor closes every connection and joins the thread; answers that wait for a
///           gate or a delay are never sent.
class HttpServer {
public:
    using Handler = std::function<HttpAnswer(const HttpRequest&)>;
    /// Where the body of a request (verb, target) is to be written; null: it is kept in memory. On the
    /// server's thread.
    using Store = std::function<std::shared_ptr<StoredBody>(std::string_view, std::string_view)>;

    /// Throws std::system_error where the address cannot be had.
    HttpServer(const std::string& address, std::uint16_t port, Handler handler, Store store = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::uint16_t port() const noexcept;

    /// From now on connecting is refused, and every open connection is closed. The port stays ours.
    void refuse();
    /// Connections are made, but nothing is read from them.
    void ignore();
    /// Back to normal after either.
    void accept();
    /// Closes the open connections, as a server does with idle ones.
    void close_connections();
    /// The open connections stay open and are never read nor answered again, as behind a dead
    /// firewall; new ones work.
    void silence_connections();
    /// How many connections are open now.
    std::size_t connections() const;
    /// Calls `work` on the server's thread after `pause`, unless the server ends first. Returns at once;
    /// from the handler, `work` runs after the answer was sent on its way.
    void later(std::chrono::milliseconds pause, std::function<void()> work);

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sg::sandbox
