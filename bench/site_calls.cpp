// How many calls a second does the site client make, beside a bare loop of libcurl, and what does JSON cost
// per MB?
//
// Both read one event of about 1 kB per call, with the same body, from the same server in the same run,
// over as many kept-alive connections as there are threads. The client's way is the whole one: envelope,
// filters, checks, the answer as a document. The best of several rounds counts, taken in turns.

#include <curl/curl.h>
#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/page_server.hpp"
#include "bench/processes.hpp"
#include "site/client.hpp"
#include "site/json_text.hpp"

namespace {

using namespace sg;
using nlohmann::json;
using Watch = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr int calls_per_round = 4000;

class NoLog final : public Logger {
public:
    bool enabled(LogLevel) const noexcept override { return false; }
    void write(LogLevel, std::string_view) noexcept override {}
};

struct Speed {
    double per_second = 0, cpu_us = 0;  // of the best round
};

/// Runs `call` `calls_per_round` times on `threads` threads together; each makes its own with `make`.
Speed measure(int threads, const std::function<std::function<void()>()>& make) {
    std::vector<std::function<void()>> calls;
    for (int i = 0; i < threads; ++i) calls.push_back(make());
    for (auto& call : calls) call();  // connects
    const auto cpu = bench::cpu_of_this_process();
    const auto begun = Watch::now();
    {
        std::vector<std::jthread> workers;
        for (auto& call : calls)
            workers.emplace_back([&call, threads] {
                for (int n = 0; n < calls_per_round / threads; ++n) call();
            });
    }
    const bench::Seconds took = Watch::now() - begun;
    const double count = calls_per_round / threads * threads;
    return {count / took.count(), (bench::cpu_of_this_process() - cpu).count() / count * 1e6};
}

Speed better(const Speed& a, const Speed& b) { return a.per_second > b.per_second ? a : b; }

std::size_t keep(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

/// What the client posts, so that both ask for the same.
constexpr const char* request =
    R"({"method_name":"read","params":[{"script_key":"bench","script_name":"bench"},{"api_return_image_urls":true,)"
    R"("filters":{"conditions":[{"path":"id","relation":"greater_than","values":[499]}],"logical_operator":"and"},)"
    R"("paging":{"current_page":1,"entities_per_page":1},"return_fields":["event_type"],"return_only":"active",)"
    R"("return_paging_info_without_counts":false,"type":"EventLogEntry"}]})";

std::function<void()> bare(const std::string& url) {
    const std::shared_ptr<CURL> easy(curl_easy_init(), curl_easy_cleanup);
    const std::shared_ptr<curl_slist> headers(
        curl_slist_append(nullptr, "Content-Type: application/json; charset=utf-8"), curl_slist_free_all);
    curl_easy_setopt(easy.get(), CURLOPT_URL, (url + "/api3/json").c_str());
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy.get(), CURLOPT_COPYPOSTFIELDS, request);
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, keep);
    return [easy, headers, body = std::make_shared<std::string>()] {
        body->clear();
        curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, body.get());
        if (curl_easy_perform(easy.get()) != CURLE_OK || body->size() < 500)
            throw std::runtime_error("the page server does not answer");
    };
}

std::function<void()> whole(site::Client& client) {
    return [&client] {
        site::CallOptions options;
        options.credential = site::Script{"bench", "bench"};
        site::FindRequest find;
        find.query.type = "EventLogEntry";
        find.query.fields = {"event_type"};
        find.query.filters = json::array({json::array({"id", "greater_than", 499})});
        find.limit = 1;
        const auto rows = client.find(find, options);
        if (!rows || rows->size() != 1) throw std::runtime_error(rows ? "not one row" : rows.error().message);
    };
}

void compare_calls() {
    const bench::PageServer server(500);
    SystemClock clock;
    NoLog log;
    site::Settings settings;
    settings.base_url = server.url();
    auto client = site::Client::make(settings, clock, log);
    if (!client) throw std::runtime_error(client.error().message);
    fmt::print("{:>11}  {:>22}  {:>22}  {:>5}\n", "connections", "bare libcurl, calls/s",
               "site client, calls/s", "ratio");
    for (const int threads : {1, 8}) {
        Speed loop, ours;
        for (int round = 0; round < rounds; ++round) {
            loop = better(loop, measure(threads, [&] { return bare(server.url()); }));
            ours = better(ours, measure(threads, [&] { return whole(**client); }));
        }
        fmt::print("{:>11}  {:>10.0f} ({:4.0f} us CPU)  {:>10.0f} ({:4.0f} us CPU)  {:>5.2f}\n", threads,
                   loop.per_second, loop.cpu_us, ours.per_second, ours.cpu_us,
                   ours.per_second / loop.per_second);
    }
}

/// A page of rows as a site sends it.
std::string page(std::size_t bytes) {
    json rows = json::array();
    for (int id = 1; rows.empty() || rows.dump().size() < 4096; ++id)
        rows.push_back({{"type", "Shot"},
                        {"id", id},
                        {"code", fmt::format("sh{:04}", id)},
                        {"sg_status_list", "ip"},
                        {"description", std::string(120, 'd')},
                        {"sg_cut_in", 1001},
                        {"project", {{"type", "Project"}, {"id", 70}, {"name", "Demo"}}},
                        {"tasks", {{{"type", "Task"}, {"id", 9}, {"name", "Animation"}}}},
                        {"image", nullptr},
                        {"updated_at", "2026-03-04T05:06:07Z"}});
    const auto block = rows.dump().substr(1, rows.dump().size() - 2);
    std::string out = R"({"results":{"entities":[)" + block;
    while (out.size() < bytes) out += "," + block;
    return out + "]}}";
}

void cost_of_json() {
    const auto text = page(8'000'000);
    const double mb = static_cast<double>(text.size()) / 1e6;
    double read = 1e9, write = 1e9;
    for (int round = 0; round < rounds; ++round) {
        auto begun = Watch::now();
        const auto document = site::read_json(text);
        read = std::min(read, bench::Seconds(Watch::now() - begun).count());
        if (!document) throw std::runtime_error(document.error().message);
        begun = Watch::now();
        const auto written = site::write_json(*document);
        write = std::min(write, bench::Seconds(Watch::now() - begun).count());
        if (!written || written->size() != text.size())
            throw std::runtime_error("what was read is not what is written");
    }
    fmt::print("JSON: reading {:.1f} ms per MB, writing {:.1f} ms per MB\n", read / mb * 1e3,
               write / mb * 1e3);
}

}  // namespace

int main() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    compare_calls();
    cost_of_json();
}
