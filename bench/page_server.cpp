#include "bench/page_server.hpp"

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <thread>

namespace sg::bench {

namespace net = boost::asio;
namespace http = boost::beast::http;

namespace {

std::string row(std::int64_t id) {
    // Fields in the order the daemon asks for them; the description brings it to about 1 kB, as on a real
    // site.
    return fmt::format(
        R"({{"type":"EventLogEntry","id":{},"event_type":"Shotgun_Task_Change","attribute_name":"sg_status_list",)"
        R"("meta":{{"type":"attribute_change","attribute_name":"sg_status_list","entity_type":"Task","entity_id":{},)"
        R"("field_data_type":"status_list","old_value":"wtg","new_value":"ip","note":"{}"}},)"
        R"("entity":{{"type":"Task","id":{},"name":"Animation"}},"user":{{"type":"HumanUser","id":42,"name":"Ravi"}},)"
        R"("project":{{"type":"Project","id":{},"name":"Demo"}},)"
        R"("session_uuid":"e8b61250-f31b-11e8-bb75-0242ac110004","created_at":"2026-03-04T05:06:07Z"}})",
        id, 10000 + id % 977, std::string(480, 'x'), 10000 + id % 977, 70 + id % 5);
}

struct Pages {
    std::int64_t events;
    std::string file;
    std::vector<std::string> full;  // page k holds the ids k*500+1 … k*500+500

    Pages(std::int64_t count, std::size_t file_bytes) : events(count), file(file_bytes, 'f') {
        for (std::int64_t first = 1; first <= count; first += PageServer::page_size)
            full.push_back(render(first, std::min(count, first + PageServer::page_size - 1)));
    }
    static std::string render(std::int64_t first, std::int64_t last) {
        std::string body = R"({"results":{"entities":[)";
        for (std::int64_t id = first; id <= last; ++id) {
            if (id != first) body += ',';
            body += row(id);
        }
        return body + R"(],"paging_info":{"current_page":1,"entities_per_page":500,"has_next_page":false}}})";
    }
    /// The number behind `key`, looked for as text: the requests are our own.
    static std::optional<std::int64_t> number_after(const std::string& body, std::string_view key) {
        const auto at = body.find(key);
        if (at == std::string::npos) return std::nullopt;
        const auto digits = body.find_first_of("0123456789", at + key.size());
        return digits == std::string::npos ? std::nullopt
                                           : std::optional(std::stoll(body.substr(digits, 20)));
    }
    std::string answer(const std::string& request) const {
        if (request.find("\"info\"") != std::string::npos)
            return R"({"version":[8,62,0],"full_version":[8,62,0,1]})";
        if (request.find("\"desc\"") != std::string::npos) return render(events, events);
        const auto after = number_after(request, "\"values\"");
        if (!after || *after >= events) return render(1, 0);
        if (*after % PageServer::page_size == 0)
            return full[static_cast<std::size_t>(*after / PageServer::page_size)];
        return render(*after + 1, std::min(events, *after + PageServer::page_size));
    }
};

void serve(net::ip::tcp::socket socket, const Pages& pages) {
    socket.set_option(net::ip::tcp::no_delay(true));
    boost::beast::flat_buffer buffer;
    boost::system::error_code error;
    for (;;) {
        http::request<http::string_body> request;
        http::read(socket, buffer, request, error);
        if (error) return;
        http::response<http::string_body> response(http::status::ok, request.version());
        const bool is_file = request.method() == http::verb::get;
        response.set(http::field::content_type, is_file ? "image/jpeg" : "application/json");
        response.body() = is_file ? pages.file : pages.answer(request.body());
        response.prepare_payload();
        http::write(socket, response, error);
        if (error) return;
    }
}

[[noreturn]] void run(net::io_context& io, net::ip::tcp::acceptor& acceptor, const Pages& pages) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)io;
    std::vector<std::jthread> connections;  // few, and never joined: the process ends by a signal
    for (;;) {
        boost::system::error_code error;
        auto socket = acceptor.accept(error);
        if (error) continue;
        connections.emplace_back(
            [&pages, accepted = std::move(socket)]() mutable { serve(std::move(accepted), pages); });
    }
}

}  // namespace

PageServer::PageServer(std::int64_t events, std::size_t file_bytes) {
    net::io_context io;
    net::ip::tcp::acceptor acceptor(io, {net::ip::make_address("127.0.0.1"), 0});
    port_ = acceptor.local_endpoint().port();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot start the page server");
    if (pid_ == 0) run(io, acceptor, Pages(events, file_bytes));
}

PageServer::~PageServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string PageServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

}  // namespace sg::bench
