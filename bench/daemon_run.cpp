#include "bench/daemon_run.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

namespace sg::bench {
namespace {

std::size_t keep(char* data, std::size_t, std::size_t size, void* text) {
    static_cast<std::string*>(text)->append(data, size);
    return size;
}

}  // namespace

DaemonRun::DaemonRun(const Setup& setup) {
    std::filesystem::create_directories(dir_ / "plugins");
    std::ofstream config(dir_ / "sgeventd.yaml");
    config << fmt::format(
        "site: {{url: '{}', credential: bench{}{}}}\ncredentials: {{bench: {{script: {}, key: {}}}}}\n"
        "collections: [plugins]\nplugin_defaults: {{isolation: {}, start: {}, credential: bench}}\n"
        "state_dir: state\ncache_dir: cache\nlog: {{level: warning}}\nplugins:\n",
        setup.site, setup.of_site.empty() ? "" : ", ", setup.of_site, setup.script, setup.key,
        setup.isolation, setup.start);
    for (const auto& plugin : setup.plugins) {
        std::filesystem::copy_file(plugin.file, dir_ / "plugins" / (plugin.name + ".so"));
        config << fmt::format("  {}: {{{}}}\n", plugin.name, plugin.settings);
    }
    config.close();
    pid_ = start({SG_DAEMON, "run", "--config", path("sgeventd.yaml")}, path("log"));
}

DaemonRun::~DaemonRun() {
    if (pid_ > 0) bench::stop(pid_);
}

std::int64_t DaemonRun::metric(const std::string& name) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    std::string text = "\n";
    const auto socket = path("state/control.sock");
    curl_easy_setopt(curl.get(), CURLOPT_URL, "http://localhost/metrics");
    curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
    const bool came = curl_easy_perform(curl.get()) == CURLE_OK;
    const auto at = text.find("\n" + name + " ");
    if (!came || at == std::string::npos) throw std::runtime_error("no metric " + name);
    return static_cast<std::int64_t>(std::stod(text.substr(at + name.size() + 2)));
}

void DaemonRun::stop() {
    if (bench::stop(std::exchange(pid_, 0)) != 0) throw std::runtime_error("the daemon did not end well");
}

int DaemonRun::arrived(std::int64_t id, const std::string& plugin) const {
    sqlite3* opened = nullptr;
    const int code =
        ::sqlite3_open_v2(path("state/state.db").c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, ::sqlite3_close);
    sqlite3_stmt* prepared = nullptr;
    if (code != SQLITE_OK ||
        ::sqlite3_prepare_v2(opened, "SELECT count(*) FROM plugin WHERE cursor >= ?1 AND ?2 IN ('', id)", -1,
                             &prepared, nullptr) != SQLITE_OK)
        return 0;
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> ask(prepared, ::sqlite3_finalize);
    ::sqlite3_bind_int64(prepared, 1, id);
    ::sqlite3_bind_text(prepared, 2, plugin.data(), static_cast<int>(plugin.size()), SQLITE_TRANSIENT);
    return ::sqlite3_step(prepared) == SQLITE_ROW ? ::sqlite3_column_int(prepared, 0) : 0;
}

void DaemonRun::wait_for(std::int64_t id, int plugins, const std::string& plugin,
                         std::chrono::seconds at_most) const {
    for (const auto limit = std::chrono::steady_clock::now() + at_most; arrived(id, plugin) < plugins;) {
        if (std::chrono::steady_clock::now() > limit) {
            std::ifstream log(path("log"));
            throw std::runtime_error("the daemon did not arrive: " +
                                     std::string(std::istreambuf_iterator<char>(log), {}));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

}  // namespace sg::bench
