#pragma once
// A site over HTTP, and connections that count.

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include "capture_log.hpp"
#include "retriever/site_connection.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"

namespace sg::test {

using namespace std::chrono_literals;
using nlohmann::json;
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

}  // namespace sg::test
