// How long do the status page and a scrape of the metrics take with 1,000 plugins and 10,000 dead letters?
//
// With the argument `serve` it prints the page's address and serves until its input ends, for a browser.

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "admin/desk.hpp"
#include "admin/server.hpp"

using namespace sg;
using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

namespace {

constexpr int plugins = 1000, letters_of_each = 10, events = 50, rounds = 20;

admin::PluginView made_up_plugin(int i) {
    admin::PluginView view;
    view.plugin = fmt::format("department_{}_plugin_{}", i % 17, i);
    view.state = i % 50 == 0 ? "failed to load" : "running";
    view.health = i % 50 == 0 ? admin::Health::bad : admin::Health::good;
    if (i % 50 == 0) view.why = "undefined symbol: _ZN6studio5thing10do_it_nowEv";
    view.file = fmt::format("/usr/lib/sgeventd/plugins/{}.so", view.plugin);
    view.build = "3f2a9c5d7e1b4a60";
    view.isolation = "process";
    view.since = view.since + std::chrono::seconds(i);
    view.generation = 1;
    view.position = view.cursor = 9'000'000 + i;
    view.succeeded = 100'000 + static_cast<std::uint64_t>(i);
    view.failed = static_cast<std::uint64_t>(i % 7);
    view.dead_letters = letters_of_each;
    for (int j = 0; j < 200; ++j) {
        view.call_times.add(0.0005 * (j + i % 13));
        view.delays.add(0.01 * j);
    }
    return view;
}

admin::Snapshot made_up_snapshot() {
    admin::Snapshot snapshot;
    const auto now = std::chrono::time_point_cast<UtcTime::duration>(std::chrono::system_clock::now());
    snapshot.daemon = {"1.0.0", 4711, "https://site.example", now, now};
    snapshot.stream.state = "level";
    snapshot.stream.highest = 9'001'000;
    snapshot.stream.last_answer = now;
    for (int i = 0; i < plugins; ++i) snapshot.plugins.push_back(made_up_plugin(i));
    for (int i = 0; i < events; ++i) {
        admin::EventView event;
        event.event = 9'001'000 - i;
        event.type = "Shotgun_Shot_Change";
        event.attribute = "sg_status_list";
        event.created = now;
        for (int j = 0; j < 16; ++j)
            event.calls.push_back({snapshot.plugins[static_cast<std::size_t>(j)].plugin, "on_status", true,
                                   std::chrono::microseconds(900)});
        event.more_calls = plugins - 16;
        snapshot.recent.push_back(event);
    }
    return snapshot;
}

using Letters = std::vector<checkpoint::DeadLetterPtr>;

Letters made_up_letters(const admin::Snapshot& snapshot) {
    Letters letters;
    for (const auto& plugin : snapshot.plugins)
        for (int i = 0; i < letters_of_each; ++i) {
            auto letter = std::make_shared<checkpoint::DeadLetter>();
            letter->plugin = plugin.plugin;
            letter->callback = "on_status";
            letter->event = 8'000'000 + static_cast<EventId>(letters.size());
            letter->type = "Shotgun_Shot_Change";
            letter->attribute = "sg_status_list";
            letter->why = "12 attempts";
            letter->history.errors.push_back({});
            letter->history.errors.back().text = std::string(200, 'e');
            letters.push_back(std::move(letter));
        }
    return letters;
}

class MadeUp final : public admin::Controls {
public:
    std::shared_ptr<const admin::Snapshot> snapshot() const override { return snapshot_; }
    std::chrono::milliseconds loop_age() const override { return {}; }
    void poll_now(const std::string&) override {}
    void reload(const std::string&, const std::string&) override {}
    std::shared_ptr<const Letters> dead_letters() const override { return letters_; }
    void retry_letters(const checkpoint::LetterChoice&, const std::string&) override {}
    void drop_letters(const checkpoint::LetterChoice&, const std::string&) override {}
    void set_log_level(LogLevel, const std::string&, const std::string&) override {}
    std::uint64_t order(const admin::Order&, const std::string&) override { return 0; }
    std::optional<admin::OrderState> order_state(std::uint64_t) const override { return std::nullopt; }
    void on_wrong_token(const std::string&) override {}

private:
    std::shared_ptr<const admin::Snapshot> snapshot_ = std::make_shared<admin::Snapshot>(made_up_snapshot());
    std::shared_ptr<const Letters> letters_ = std::make_shared<Letters>(made_up_letters(*snapshot_));
};

std::size_t count(char*, std::size_t, std::size_t size, void* to) {
    *static_cast<std::size_t*>(to) += size;
    return size;
}

/// Fetches all paths, one after another, on one connection that is made for it. Returns bytes.
std::size_t fetch(const std::string& url, const std::vector<std::string>& paths) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
    std::size_t bytes = 0;
    for (const auto& path : paths) {
        curl_easy_setopt(curl.get(), CURLOPT_URL, (url + path).c_str());
        curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
        curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &count);
        curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &bytes);
        if (curl_easy_perform(curl.get()) != CURLE_OK) throw std::runtime_error("no answer to " + path);
    }
    return bytes;
}

void measure(const std::string& what, const std::string& url, const std::vector<std::string>& paths) {
    std::vector<double> took;
    std::size_t bytes = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = Steady::now();
        bytes = fetch(url, paths);
        took.push_back(Milliseconds(Steady::now() - begin).count());
    }
    std::sort(took.begin(), took.end());
    fmt::print("{:<34} median {:6.1f} ms  worst {:6.1f} ms  {:6} kB\n", what, took[took.size() / 2],
               took.back(), bytes / 1000);
}

}  // namespace

int main(int argc, char** argv) {
    MadeUp controls;
    const admin::Desk desk(controls);
    admin::Server::Options options;
    options.address = "127.0.0.1:0";
    const auto server =
        admin::Server::start(options, [&](const admin::Request& request) { return desk.answer(request); });
    if (!server) {
        fmt::print(stderr, "{}\n", server.error().message);
        return 1;
    }
    const auto url = fmt::format("http://127.0.0.1:{}", (*server)->port());
    if (argc > 1 && std::string(argv[1]) == "serve") {
        fmt::print("{}\n", url);
        std::fflush(stdout);
        while (std::getchar() != EOF) {
        }
        return 0;
    }
    measure("page, complete (below 200)", url,
            {"/", "/style.css", "/icon.svg", "/letters.js", "/app.js", "/api/status", "/api/dead-letters"});
    measure("  of that, /api/status", url, {"/api/status"});
    measure("  of that, /api/dead-letters", url, {"/api/dead-letters"});
    measure("metrics (below 50)", url, {"/metrics"});
    return 0;
}
