#include "service/data_requests.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <tuple>

#include "tasks/account.hpp"
#include "util/thread.hpp"

namespace sg::service {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 9> calls{
    "find",       "find_one",          "create",           "update", "delete", "text_search",
    "nav_expand", "nav_search_string", "nav_search_entity"};

std::optional<std::string> text_or_none(const json& from, const char* name) {
    const auto& value = from.at(name);
    if (value.is_null()) return std::nullopt;
    return value.get<std::string>();
}

CachePolicy policy(const json& arguments) {
    return arguments.at("refresh").get<bool>() ? CachePolicy::refresh : CachePolicy::use;
}

Request start_call(DataRetriever& data, std::string_view what, json args, json kwargs) {
    using Member = Request (DataRetriever::*)(json, json);
    constexpr std::array<Member, calls.size()> members{&DataRetriever::execute_find,
                                                       &DataRetriever::execute_find_one,
                                                       &DataRetriever::execute_create,
                                                       &DataRetriever::execute_update,
                                                       &DataRetriever::execute_delete,
                                                       &DataRetriever::execute_text_search,
                                                       &DataRetriever::execute_nav_expand,
                                                       &DataRetriever::execute_nav_search_string,
                                                       &DataRetriever::execute_nav_search_entity};
    const auto at = std::find(calls.begin(), calls.end(), what);
    if (at == calls.end())
        throw Error(Cause::not_supported, "the data retriever of this daemon does not know this request");
    return (data.*members[static_cast<std::size_t>(at - calls.begin())])(std::move(args), std::move(kwargs));
}

/// Throws where the request makes no sense.
Request start(DataRetriever& data, const host::DataRequest& request) {
    auto arguments = json::parse(request.arguments);
    if (request.what == "schema") {
        const auto& project = arguments.at("project");
        return data.get_schema(project.is_null() ? std::nullopt : std::optional(project.get<EntityId>()));
    }
    if (request.what == "attachment")
        return data.request_attachment(std::move(arguments.at("attachment")), policy(arguments));
    if (request.what == "thumbnail")
        return data.request_thumbnail(text_or_none(arguments, "url"), arguments.at("type").get<std::string>(),
                                      arguments.at("id").get<EntityId>(), text_or_none(arguments, "field"),
                                      {Image::path_only, policy(arguments)});
    if (request.what == "thumbnail_source")
        return data.request_thumbnail_source(arguments.at("type").get<std::string>(),
                                             arguments.at("id").get<EntityId>(),
                                             {Image::path_only, policy(arguments)});
    auto kwargs = std::move(arguments.at("kwargs"));
    if (kwargs.is_object()) kwargs[call_origin_key] = call_origin(request);
    return start_call(data, request.what, std::move(arguments.at("args")), std::move(kwargs));
}

/// Of an exception, inside a catch.
host::DataOutcome refusal() {
    try {
        throw;
    } catch (const Error& error) {
        return tl::unexpected<Failure>(Failure{error.cause(), error.what(), error.site_code(), 0, {}});
    } catch (const std::invalid_argument& error) {
        return fail(Cause::invalid, "{}", error.what());
    } catch (const json::exception& error) {
        return fail(Cause::invalid, "a request that cannot be read: {}", error.what());
    } catch (const std::exception& error) {
        return fail(Cause::internal, "{}", error.what());
    }
}

host::DataOutcome outcome_of(const detail::Core& core) {
    try {
        const auto& reply = *static_cast<const Reply*>(core.outcome().get());
        return fmt::format(R"({{"type":{},"data":{}}})", json(reply.type).dump(),
                           reply.data.dump(-1, ' ', false, json::error_handler_t::replace));
    } catch (...) {
        return refusal();
    }
}

}  // namespace

/// A thread that does one thing after another.
class DataRequestPool::Line {
public:
    explicit Line(const std::string& name)
        : thread_(start_thread(name, [this](const std::stop_token& stop) { run(stop); })) {}

    /// What is still in line when it ends is done first.
    ~Line() { thread_ = {}; }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    void add(std::function<void()> next) {
        std::lock_guard lock(mutex_);
        line_.push_back(std::move(next));
        changed_.notify_one();
    }

private:
    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !line_.empty(); })) {
            auto next = std::move(line_.front());
            line_.pop_front();
            lock.unlock();
            next();
            next = nullptr;
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> line_;
    std::jthread thread_;
};

/// What doors need as long as any of them is there.
struct DataRequestPool::Shared {
    std::shared_ptr<const PluginAccess> access;
    std::optional<retriever::FileCache> cache;  // none: the system cannot make keys
    std::shared_ptr<TaskManager> manager;
    std::function<void(const std::string&)> on_key;
    Line* reading = nullptr;
    Line* ending = nullptr;

    std::mutex mutex;
    std::map<std::string, std::weak_ptr<tasks::Share>> shares;  // by plugin
    std::atomic<bool> has_begun{false};

    std::shared_ptr<tasks::Share> share_of(const std::string& plugin) {
        std::lock_guard lock(mutex);
        auto& known = shares[plugin];
        auto share = known.lock();
        if (!share) known = share = tasks::make_share();
        return share;
    }
};

/// Those of one host: a retriever for each credential. On the reading thread, but for `forget`.
class DataRequestPool::Requests : public std::enable_shared_from_this<Requests> {
public:
    Requests(std::shared_ptr<Shared> shared, std::string plugin)
        : shared_(std::move(shared)), plugin_(std::move(plugin)), share_(shared_->share_of(plugin_)) {}

    void start(const host::DataRequest& asked, std::function<void(host::DataOutcome)> done) {
        std::optional<Request> request;
        try {
            request = service::start(retriever_for(asked.credential), asked);
        } catch (...) {
            return done(refusal());
        }
        {
            std::lock_guard lock(mutex_);
            open_.insert_or_assign(asked.id, *request);
        }
        std::uint64_t ticket = 0;
        request->core()->when_settled(
            ticket,
            [weak = weak_from_this(), id = asked.id, done = std::move(done)](const detail::Core& core) {
                if (const auto alive = weak.lock()) alive->forget(id);
                done(outcome_of(core));
            },
            false);
    }

    void stop(std::uint64_t id) {
        std::optional<Request> request;
        {
            std::lock_guard lock(mutex_);
            if (const auto found = open_.find(id); found != open_.end()) request = found->second;
        }
        if (request) request->stop();
    }

    std::size_t clear() {
        std::size_t cleared = 0;
        for (const auto& [credential, retriever] : retrievers_) cleared += retriever->clear();
        return cleared;
    }

    /// Ends all, and waits. On a thread that may.
    void end() { retrievers_.clear(); }

private:
    using Who = std::tuple<std::string, std::string, std::string>;

    void forget(std::uint64_t id) {
        decltype(open_)::node_type ended;
        std::lock_guard lock(mutex_);
        ended = open_.extract(id);
    }

    DataRetriever& retriever_for(const Credential& who) {
        auto& known = retrievers_[Who{who.name, who.script_name, who.script_key}];
        if (known) return *known;
        if (!shared_->cache) throw Error(Cause::not_supported, "this daemon has no data retriever");
        if (!who.script_key.empty() && shared_->on_key) shared_->on_key(who.script_key);
        known = retriever::make_data_retriever(make_plugin_connection(shared_->access, plugin_, who),
                                               {.cache = *shared_->cache, .share = share_}, shared_->manager);
        if (!shared_->has_begun.exchange(true)) known->start();  // which cleans the cache: once is enough
        return *known;
    }

    const std::shared_ptr<Shared> shared_;
    const std::string plugin_;
    const std::shared_ptr<tasks::Share> share_;
    std::map<Who, std::unique_ptr<DataRetriever>> retrievers_;
    std::mutex mutex_;
    std::map<std::uint64_t, Request> open_;
};

class DataRequestPool::PluginDoor final : public host::DataRequests::Door {
public:
    PluginDoor(std::shared_ptr<Shared> shared, const std::string& plugin)
        : shared_(shared), requests_(std::make_shared<Requests>(std::move(shared), plugin)) {}
    ~PluginDoor() override {
        // What was handed in before comes before this, and what is handed over may take its time to end.
        shared_->reading->add([shared = shared_, requests = std::move(requests_)]() mutable {
            shared->ending->add([requests = std::move(requests)] { requests->end(); });
        });
    }
    PluginDoor(const PluginDoor&) = delete;
    PluginDoor& operator=(const PluginDoor&) = delete;

    void start(host::DataRequest request, std::function<void(host::DataOutcome)> done) override {
        shared_->reading->add(
            [requests = requests_, request = std::move(request), done = std::move(done)]() mutable {
                requests->start(request, std::move(done));
            });
    }
    void stop(std::uint64_t id) override {
        shared_->reading->add([requests = requests_, id] { requests->stop(id); });
    }
    void clear(std::function<void(std::size_t)> done) override {
        shared_->reading->add([requests = requests_, done = std::move(done)] { done(requests->clear()); });
    }

private:
    const std::shared_ptr<Shared> shared_;
    std::shared_ptr<Requests> requests_;
};

DataRequestPool::DataRequestPool(PluginAccess access, Options options,
                                 std::function<void(const std::string&)> on_key)
    : shared_(std::make_shared<Shared>()) {
    auto& log = access.log;
    try {
        shared_->cache.emplace(std::move(options.cache));
    } catch (const std::exception& error) {
        log.error("[DATA-RETRIEVER-OFF] Plugins have no data retriever. why={}", error.what());
    }
    shared_->access = std::make_shared<const PluginAccess>(std::move(access));
    shared_->on_key = std::move(on_key);
    tasks::Options how;
    how.max_threads = options.workers;
    how.name = "data";
    how.start_processing = true;
    how.on_error = [&log](std::exception_ptr error) {
        try {
            std::rethrow_exception(std::move(error));
        } catch (const std::exception& what) {
            log.error("[DATA-RETRIEVER] The data retriever is in trouble. why={}", what.what());
        } catch (...) {
            log.error("[DATA-RETRIEVER] The data retriever is in trouble.");
        }
    };
    shared_->manager = tasks::make_task_manager(std::move(how));
    reading_ = std::make_unique<Line>("data-read");
    ending_ = std::make_unique<Line>("data-end");
    shared_->reading = reading_.get();
    shared_->ending = ending_.get();
}

DataRequestPool::~DataRequestPool() {
    shut_down();
    reading_.reset();
    ending_.reset();
}

TaskManager::Stats DataRequestPool::stats() const { return shared_->manager->stats(); }

void DataRequestPool::shut_down() { shared_->manager->shut_down(); }

std::unique_ptr<host::DataRequests::Door> DataRequestPool::open(const std::string& plugin) {
    return std::make_unique<PluginDoor>(shared_, plugin);
}

}  // namespace sg::service
