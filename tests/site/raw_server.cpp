#include "raw_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <algorithm>
#include <stdexcept>

namespace sg::test {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

}  // namespace

std::string RawRequest::header(std::string_view name) const {
    const auto at = lower(head).find("\r\n" + lower(name) + ":");
    if (at == std::string::npos) return {};
    auto value = head.substr(at + name.size() + 3);
    value = value.substr(0, value.find("\r\n"));
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

void RawPeer::send(std::string_view bytes) {
    while (open_ && !bytes.empty()) {
        const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) {
            open_ = false;
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}
void RawPeer::close() {
    ::shutdown(fd_, SHUT_RDWR);
    open_ = false;
}
void RawPeer::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    const sockaddr nowhere{AF_UNSPEC, {}};
    ::connect(fd_, &nowhere, sizeof nowhere);  // Linux: aborts the connection while the number stays ours
    open_ = false;
}
void RawPeer::hang() {
    char byte = 0;
    while (open_ && ::recv(fd_, &byte, 1, 0) > 0) {
    }
    open_ = false;
}

RawServer::RawServer(Handler handler, const char* at, std::uint16_t port) : handler_(std::move(handler)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, at, &address.sin_addr);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0)
        throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread([this] { accept_all(); });
}

RawServer::~RawServer() {
    ending_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    {
        std::lock_guard lock(mutex_);
        for (auto& fd : open_) ::shutdown(fd.get(), SHUT_RDWR);
    }
    serving_.clear();
}

void RawServer::accept_all() {
    while (!ending_) {
        UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) continue;
        const int one = 1, raw = fd.get();
        ::setsockopt(raw, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        std::lock_guard lock(mutex_);
        open_.push_back(std::move(fd));
        serving_.emplace_back([this, raw, number = accepted_++] { serve(raw, number); });
    }
}

void RawServer::serve(int fd, std::size_t number) {
    RawPeer peer(fd);
    std::string buffer;
    while (peer.is_open()) {
        RawRequest request;
        request.connection = number;
        std::size_t whole = std::string::npos;
        for (;;) {
            if (const auto end = buffer.find("\r\n\r\n"); end != std::string::npos) {
                request.head = buffer.substr(0, end + 2);
                const auto length = request.header("content-length");
                whole = end + 4 + (length.empty() ? 0 : std::stoul(length));
                if (buffer.size() >= whole) break;
            }
            char bytes[16384];
            const auto n = ::recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0) {
                ::shutdown(fd, SHUT_RDWR);
                return;
            }
            buffer.append(bytes, static_cast<std::size_t>(n));
        }
        request.body = buffer.substr(request.head.size() + 2, whole - request.head.size() - 2);
        buffer.erase(0, whole);
        request.more_behind = !buffer.empty();
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        handler_(request, peer);
    }
}

std::vector<RawRequest> RawServer::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

std::string http(std::string_view body, int status, std::string_view headers, std::string_view type) {
    std::string out = "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n";
    if (!type.empty()) out += "Content-Type: " + std::string(type) + "\r\n";
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n";
    return out + std::string(body);
}
std::string results(const nlohmann::json& value) { return http(nlohmann::json{{"results", value}}.dump()); }
std::string rows(const nlohmann::json& entities, const nlohmann::json& paging_info) {
    nlohmann::json out{{"entities", entities}};
    if (!paging_info.is_null()) out["paging_info"] = paging_info;
    return results(out);
}

}  // namespace sg::test
