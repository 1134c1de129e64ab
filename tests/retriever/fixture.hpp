#pragma once
// A site over HTTP, connections that count, and retrievers on a loop that the test polls.

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "capture_log.hpp"
#include "catch.hpp"
#include "gate.hpp"
#include "retriever/data_retriever.hpp"
#include "retriever/downloads.hpp"
#include "sandbox/site.hpp"
#include "tasks/event_loop.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;
using nlohmann::json;
using retriever::FileCache;
using retriever::make_data_retriever;
using retriever::SiteConnection;
using sandbox::Fault;
namespace fs = std::filesystem;

/// What the connections of a retriever were used for.
struct Counts {
    std::atomic<int> clones{0}, overlaps{0}, prototype_calls{0};
    std::mutex mutex;
    std::vector<std::pair<const void*, std::string>> calls;  // on which connection, and what
    std::vector<json> arguments;                             // of calls, args and kwargs
    std::stop_token token;                                   // of the last one

    void add(const void* who, std::string what, json with, std::stop_token stop) {
        std::lock_guard lock(mutex);
        calls.emplace_back(who, std::move(what));
        arguments.push_back(std::move(with));
        token = std::move(stop);
    }
    std::vector<std::string> names() {
        std::lock_guard lock(mutex);
        std::vector<std::string> out;
        for (const auto& call : calls) out.push_back(call.second);
        return out;
    }
    std::vector<json> all_arguments() {
        std::lock_guard lock(mutex);
        return arguments;
    }
    int on_one_connection() {
        std::lock_guard lock(mutex);
        std::set<const void*> all;
        for (const auto& call : calls) all.insert(call.first);
        return static_cast<int>(all.size());
    }
    bool is_stopped() {
        std::lock_guard lock(mutex);
        return token.stop_requested();
    }
};

class CountingConnection final : public SiteConnection {
public:
    CountingConnection(std::unique_ptr<SiteConnection> real, std::shared_ptr<Counts> counts, bool is_clone)
        : real_(std::move(real)), counts_(std::move(counts)), is_clone_(is_clone) {}
    std::unique_ptr<SiteConnection> clone() const override {
        ++counts_->clones;
        return std::make_unique<CountingConnection>(real_->clone(), counts_, true);
    }
    std::string url() const override { return real_->url(); }
    Result<json> call(std::string_view method, const json& args, const json& kwargs,
                      std::stop_token stop) override {
        const Use use(*this);
        counts_->add(this, std::string(method), json::array({args, kwargs}), stop);
        return real_->call(method, args, kwargs, stop);
    }
    Result<retriever::Fetched> download(const std::string& url, const fs::path& to,
                                        std::stop_token stop) override {
        const Use use(*this);
        counts_->add(this, "download", url, stop);
        return real_->download(url, to, stop);
    }

private:
    struct Use {
        explicit Use(CountingConnection& who) : connection(who) {
            if (!who.is_clone_) ++who.counts_->prototype_calls;
            if (who.is_used_.exchange(true)) ++who.counts_->overlaps;
        }
        ~Use() { connection.is_used_ = false; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        CountingConnection& connection;
    };
    const std::unique_ptr<SiteConnection> real_;
    const std::shared_ptr<Counts> counts_;
    const bool is_clone_;
    std::atomic<bool> is_used_{false};
};

inline std::string bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline json link(const char* type, sandbox::Id id) { return {{"type", type}, {"id", id}}; }

/// A studio with shots, and files that were uploaded to it.
struct Studio {
    Studio() {
        site::Settings settings;
        settings.base_url = site.url();
        settings.attempts = 1;
        auto made = site::Client::make(std::move(settings), system_clock, log);
        if (!made) throw std::runtime_error(made.error().message);
        client = std::move(*made);
        project = site.add("Project", {{"name", "Demo"}});
        shot = site.add("Shot", {{"code", "sh010"}, {"project", link("Project", project)}});
    }
    site::CallOptions script() const {
        site::CallOptions options;
        options.credential = site::Script{sandbox::Site::script, sandbox::Site::key};
        return options;
    }
    sandbox::Id upload(const char* type, sandbox::Id id, const char* field, const std::string& name,
                       const std::string& bytes) {
        const auto file = files / name;
        std::ofstream(file, std::ios::binary) << bytes;
        site::UploadRequest request;
        request.type = type;
        request.id = id;
        request.field = field;
        request.file = file;
        const auto done = client->upload(request, script());
        if (!done) throw std::runtime_error(done.error().message);
        return *done;
    }
    sandbox::Id add_version(const std::string& code) {
        return site.add("Version", {{"code", code}, {"project", link("Project", project)}});
    }
    /// A Version with a thumbnail of these bytes, and the URL of that.
    std::pair<sandbox::Id, std::string> thumbnail(const std::string& bytes) {
        const auto version = add_version("take");
        upload("Version", version, "image", "thumb.png", bytes);
        return {version, image_of(version)};
    }
    std::string image_of(sandbox::Id version) const {
        return site.value("Version", version, "image").get<std::string>();
    }
    std::unique_ptr<SiteConnection> connection() {
        return std::make_unique<CountingConnection>(retriever::make_connection(*client, site.url(), script()),
                                                    counts, false);
    }

    sandbox::Site site;
    SystemClock system_clock;
    CaptureLog log;
    TempDir files;
    std::unique_ptr<site::Client> client;
    std::shared_ptr<Counts> counts = std::make_shared<Counts>();
    sandbox::Id project = 0, shot = 0;
};

/// Slots on every signal of a retriever.
class Heard {
public:
    struct Signal {
        char kind;  // c, f, x: cancelled
        Uid uid;
        std::string type, message;
        json data;
    };
    explicit Heard(DataRetriever& of) {
        connections_.push_back(
            of.on_work_completed([this](Uid uid, const std::string& type, const json& data) {
                add({'c', uid, type, {}, data});
            }));
        connections_.push_back(of.on_work_failure([this](Uid uid, const std::string& message) {
            add({'f', uid, {}, message, nullptr});
        }));
        connections_.push_back(of.on_work_cancelled([this](Uid uid) { add({'x', uid, {}, {}, nullptr}); }));
    }
    std::vector<Signal> all() const {
        std::lock_guard lock(mutex_);
        return all_;
    }
    std::size_t size() const { return all().size(); }
    std::string kinds() const {
        std::string text;
        for (const auto& one : all()) text += one.kind;
        return text;
    }
    std::vector<std::string> types() const {
        std::vector<std::string> out;
        for (const auto& one : all()) out.push_back(one.type);
        return out;
    }
    /// The signals of one request: `c`, `f` or `x` if all is well.
    std::string of(Uid uid) const {
        std::string text;
        for (const auto& one : all())
            if (one.uid == uid) text += one.kind;
        return text;
    }
    Signal last(Uid uid) const {
        for (const auto& one : all())
            if (one.uid == uid) return one;
        return {'-', uid, {}, {}, nullptr};
    }
    bool on_one_thread() const { return on_one_thread_; }

private:
    void add(Signal signal) {
        std::lock_guard lock(mutex_);
        if (thread_ != std::this_thread::get_id()) on_one_thread_ = false;
        all_.push_back(std::move(signal));
    }
    mutable std::mutex mutex_;
    const std::thread::id thread_ = std::this_thread::get_id();
    std::atomic<bool> on_one_thread_{true};
    std::vector<Signal> all_;
    std::vector<Connection> connections_;  // goes first
};

/// Retrievers of a studio on one loop. `R()` owns one thread and is not started; `RS(n)` is on a shared
/// manager.
struct Rig {
    explicit Rig(unsigned threads = 0) {
        if (threads == 0) return;
        manager = make_manager(threads);
    }
    std::shared_ptr<TaskManager> make_manager(unsigned threads) {
        tasks::Options options;
        options.start_processing = true;
        options.max_threads = threads;
        options.clock = clock;
        options.executor = loop.executor();
        options.on_error = [this](std::exception_ptr) { ++errors; };
        return tasks::make_task_manager(std::move(options));
    }
    FileCache make_cache(const std::string& name = "cache") {
        retriever::FileCacheOptions options;
        options.root = root / name;
        options.clock = clock;
        return FileCache(std::move(options));
    }
    retriever::Options options() {
        retriever::Options out{cache};
        out.executor = loop.executor();
        out.clock = clock;
        out.on_error = [this](std::exception_ptr) { ++errors; };
        return out;
    }
    template <class Change>
    std::unique_ptr<DataRetriever> make(Change change) {
        auto how = options();
        change(how);
        auto made = make_data_retriever(studio.connection(), std::move(how), manager);
        if (manager) made->start();
        return made;
    }
    std::unique_ptr<DataRetriever> make() {
        return make([](retriever::Options&) {});
    }
    /// Polls until the condition holds.
    template <class Condition>
    bool until(Condition condition) {
        return wait_for([&] {
            loop.poll();
            return condition();
        });
    }
    bool ended(const Heard& heard, std::size_t count) {
        return until([&] { return heard.size() >= count; }) && loop.poll() == 0 && heard.size() == count;
    }
    json args_of_find() const { return json::array({"Shot", json::array(), json::array({"code"})}); }
    /// A gate before the next answers to this call.
    std::shared_ptr<sandbox::Gate> hold(const char* method, std::uint64_t times = 1) {
        auto gate = std::make_shared<sandbox::Gate>();
        studio.site.inject(Fault::honest().behind(gate).on(method).times(times));
        return gate;
    }

    Studio studio;
    TempDir root;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    FileCache cache = make_cache();
    tasks::EventLoop loop;
    std::atomic<int> errors{0};
    std::shared_ptr<TaskManager> manager;
};

/// Waits at a door whenever it is asked for the time of day.
class GatedClock final : public Clock {
public:
    Time now() const override { return real_.now(); }
    std::chrono::system_clock::time_point utc() const override {
        if (is_gated) door.pass();
        return real_.utc();
    }
    std::optional<Duration> until(Time deadline) const override { return real_.until(deadline); }
    bool sleep_until(Time deadline, std::stop_token stop) override {
        return real_.sleep_until(deadline, std::move(stop));
    }
    int on_jump(std::function<void()> woken) override { return real_.on_jump(std::move(woken)); }
    void off_jump(int key) override { real_.off_jump(key); }
    void advance(Duration by) { real_.advance(by); }

    std::atomic<bool> is_gated{false};
    Gate door;
    TempDir root;

private:
    ManualClock real_;
};

}  // namespace sg::test
