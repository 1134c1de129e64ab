// What does a request of a data retriever cost, beside the least that does the same?
//
// Files come from a server in a process of its own, whose CPU does not count. The least of a few runs is
// taken, in turns: what others do on the machine only adds.

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/page_server.hpp"
#include "bench/processes.hpp"
#include "retriever/data_retriever.hpp"
#include "temp_dir.hpp"

namespace {

using namespace sg;
using Watch = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr std::size_t file_bytes = 256 * 1024;

class NoLog final : public Logger {
public:
    bool enabled(LogLevel) const noexcept override { return false; }
    void write(LogLevel, std::string_view) noexcept override {}
};

struct Cost {
    double cpu = 1e9, time = 1e9;  // seconds
    void take_less(const Cost& other) {
        cpu = std::min(cpu, other.cpu);
        time = std::min(time, other.time);
    }
};

Cost cost_of(const std::function<void()>& body) {
    const auto cpu = bench::cpu_of_this_process();
    const auto begun = Watch::now();
    body();
    return {(bench::cpu_of_this_process() - cpu).count(), bench::Seconds(Watch::now() - begun).count()};
}

/// A retriever on `threads` shared workers, and an empty cache.
struct Rig {
    explicit Rig(unsigned threads) {
        site::Settings settings;
        settings.base_url = server.url();
        auto made = site::Client::make(std::move(settings), clock, log);
        if (!made) throw std::runtime_error(made.error().message);
        client = std::move(*made);
        tasks::Options how;
        how.start_processing = true;
        how.max_threads = threads;
        how.max_undelivered = 0;
        data = retriever::make_data_retriever(
            retriever::make_connection(*client, server.url(), site::CallOptions()), retriever::Options{cache},
            tasks::make_task_manager(std::move(how)));
        data->on_work_completed([this](Uid, const std::string&, const nlohmann::json&) { ++ended; }).keep();
        data->on_work_failure([](Uid, const std::string& why) {
                fmt::print(stderr, "{}\n", why);
                std::abort();
            })
            .keep();
        data->on_work_cancelled([this](Uid) { ++ended; }).keep();
        data->start();
    }
    /// Not the site's own address: what storage serves needs no session.
    std::string url(int file) const { return fmt::format("http://localhost:{}/files/{}.jpg", port(), file); }
    std::string port() const { return server.url().substr(server.url().rfind(':') + 1); }
    void ask(int file) { data->request_thumbnail(url(file), "Version", 1, std::nullopt); }
    void wait(int count) const {
        while (ended < count) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    /// Asks for `count` of `files` files, and waits.
    void ask_for(int count, int files) {
        ended = 0;
        for (int i = 0; i < count; ++i) ask(i % files);
        wait(count);
    }

    const bench::PageServer server{1, file_bytes};
    const test::TempDir dir;
    SystemClock clock;
    NoLog log;
    std::unique_ptr<site::Client> client;
    retriever::FileCache cache = [this] {
        retriever::FileCacheOptions options;
        options.root = dir / "cache";
        return retriever::FileCache(options);
    }();
    std::atomic<int> ended{0};
    std::unique_ptr<DataRetriever> data;
};

void cached_thumbnails() {
    constexpr int count = 10'000, files = 100;
    Rig rig(4);
    rig.ask_for(files, files);
    Cost bare, lookups, requests;
    for (int round = 0; round < rounds; ++round) {
        lookups.take_less(cost_of([&] {
            for (int i = 0; i < count; ++i)
                if (const auto found = rig.cache.find(rig.url(i % files)); !found || !*found)
                    throw std::runtime_error("a file that was fetched is not found");
        }));
        requests.take_less(cost_of([&] { rig.ask_for(count, files); }));
    }
    fmt::print("{} cached thumbnails: {:.1f} us of CPU a request, {:.0f} a second\n", count,
               1e6 * requests.cpu / count, count / requests.time);
    fmt::print("  {:.2f} times the CPU of looking each up in the cache, on one thread ({:.1f} us)\n",
               requests.cpu / lookups.cpu, 1e6 * lookups.cpu / count);
}

/// Every file over one multi handle, 64 at a time, each into a file of its own.
void bare_downloads(const Rig& rig, const std::filesystem::path& to, int files) {
    struct Transfer {
        std::shared_ptr<CURL> easy;
        std::ofstream file;
    };
    const std::shared_ptr<CURLM> multi(curl_multi_init(), curl_multi_cleanup);
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, 64L);
    std::vector<Transfer> all(static_cast<std::size_t>(files));
    const auto write = +[](char* data, std::size_t size, std::size_t count, void* file) {
        static_cast<std::ofstream*>(file)->write(data, static_cast<std::streamsize>(size * count));
        return size * count;
    };
    for (int i = 0; i < files; ++i) {
        auto& transfer = all[static_cast<std::size_t>(i)];
        transfer.file.open(to / std::to_string(i), std::ios::binary);
        transfer.easy.reset(curl_easy_init(), curl_easy_cleanup);
        curl_easy_setopt(transfer.easy.get(), CURLOPT_URL, rig.url(i).c_str());
        curl_easy_setopt(transfer.easy.get(), CURLOPT_WRITEFUNCTION, write);
        curl_easy_setopt(transfer.easy.get(), CURLOPT_WRITEDATA, &transfer.file);
        curl_multi_add_handle(multi.get(), transfer.easy.get());
    }
    for (int running = 1; running > 0;) {
        if (curl_multi_perform(multi.get(), &running) != CURLM_OK ||
            curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr) != CURLM_OK)
            throw std::runtime_error("libcurl does not go on");
    }
    for (auto& transfer : all) {
        curl_multi_remove_handle(multi.get(), transfer.easy.get());
        if (static_cast<std::size_t>(transfer.file.tellp()) != file_bytes)
            throw std::runtime_error("a bare download came short");
    }
}

void downloads() {
    constexpr int files = 256;
    Rig rig(64);
    Cost bare, requests;
    for (int round = 0; round < rounds; ++round) {
        const test::TempDir to;
        bare.take_less(cost_of([&] { bare_downloads(rig, to.path(), files); }));
        std::filesystem::remove_all(rig.dir / "cache");
        requests.take_less(cost_of([&] { rig.ask_for(files, files); }));
    }
    fmt::print(
        "{} downloads of {} kB, 64 at a time: {:.2f} times the time of a bare libcurl multi loop, "
        "{:.2f} times its CPU ({:.0f} us each)\n",
        files, file_bytes / 1024, requests.time / bare.time, requests.cpu / bare.cpu, 1e6 * bare.cpu / files);
}

void joined() {
    Rig rig(4);
    Cost one, many;
    for (int round = 0; round < 4 * rounds; ++round) {
        for (const int count : {1, 500}) {
            std::filesystem::remove_all(rig.dir / "cache");
            (count == 1 ? one : many).take_less(cost_of([&] { rig.ask_for(count, 1); }));
        }
    }
    fmt::print("500 requests for one file take {:.2f} times the time of one, {:.1f} ms (at most 2)\n",
               many.time / one.time, 1e3 * one.time);
}

long resident_kb() {
    long kb = 0;
    for (const auto process : bench::proportional_kb(::getpid())) {
        kb = process;
        break;  // without the server
    }
    return kb;
}

void residue() {
    Rig rig(4);
    rig.ask_for(100, 100);
    const auto hits = [&] {
        for (int i = 0; i < 100; ++i) {
            rig.ended = 0;
            for (int k = 0; k < 1'000; ++k) rig.ask(k % 100);
            if (i % 10 == 5) rig.data->clear();
            rig.wait(1'000);
        }
    };
    hits();
    const auto before = resident_kb();
    hits();
    fmt::print(
        "memory after 200,000 cached thumbnails with clears in between: {:.3f} times that after 100,000 "
        "(at most 1.02)\n",
        static_cast<double>(resident_kb()) / static_cast<double>(before));
}

}  // namespace

int main() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    cached_thumbnails();
    downloads();
    joined();
    residue();
}
