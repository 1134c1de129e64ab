#include "service/site_requests.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>

#include "site/named_calls.hpp"
#include "site/named_file_calls.hpp"
#include "util/thread.hpp"

namespace sg::service {
namespace {

constexpr std::chrono::milliseconds between_news{200};

/// Passes on what `tell` should hear of a transfer: not each piece of it, but its end where that is known.
site::OnProgress now_and_then(const site::OnProgress& tell) {
    if (!tell) return {};
    return [&tell, next = std::chrono::steady_clock::time_point()](
               std::uint64_t done, std::optional<std::uint64_t> total) mutable {
        const auto now = std::chrono::steady_clock::now();
        if (now < next && done != total) return;
        next = now + between_news;
        tell(done, total);
    };
}

host::SiteAnswer stopped() { return fail(Cause::stopped, "the site was not asked: stopped"); }

}  // namespace

Result<site::Caller> Credentials::resolve(const host::SiteRequest& request) const {
    const auto& credential = request.credential;
    if (!credential.script_name.empty()) {
        if (!credential.script_key.empty())
            return site::Caller{site::Script{credential.script_name, credential.script_key}};
        return fail(Cause::authentication, "the plugin handed in the script '{}' without a key",
                    credential.script_name);
    }
    auto name = credential.name;
    if (const auto own = plugins.find(request.plugin); name.empty() && own != plugins.end())
        name = own->second;
    if (name.empty() && for_plugins) name = *for_plugins;
    if (name.empty())
        return fail(Cause::authentication,
                    "plugin '{}' has no credential, and the configuration has no default for plugins",
                    request.plugin);
    const auto found = named.find(name);
    if (found == named.end())
        return fail(Cause::authentication, "the configuration has no credential named '{}'", name);
    return found->second;
}

/// One request from `start` to its answer.
struct SiteRequestPool::Item {
    enum class State { arriving, waiting, taken, stopped };

    Item(host::SiteRequest request_in, std::stop_token stop_in, std::function<void(host::SiteAnswer)> done_in)
        : request(std::move(request_in)), stop(std::move(stop_in)), done(std::move(done_in)) {}

    std::size_t bytes() const { return request.arguments.size(); }

    host::SiteRequest request;
    std::stop_token stop;
    std::function<void(host::SiteAnswer)> done;
    State state = State::arriving;                                     // under the queue's mutex
    std::optional<std::stop_callback<std::function<void()>>> on_stop;  // goes first: it points at the item
};

/// What waits: a line per plugin, and the plugins in the order of their turns.
class SiteRequestPool::Queue {
public:
    using ItemPtr = std::unique_ptr<Item>;

    explicit Queue(const Options& options) : options_(options) {}

    /// Answers on the spot what cannot wait.
    void add(ItemPtr item) {
        auto* raw = item.get();
        // Registered before it waits, so that a worker never meets an item half made.
        raw->on_stop.emplace(raw->stop, [this, raw] { stop_requested(*raw); });
        auto refusal = push(item);
        if (!refusal) return;
        item->on_stop.reset();
        item->done(tl::unexpected(std::move(*refusal)));
    }

    /// The next item in turn; null once the queue is closed or `stop` is requested.
    ItemPtr take(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, stop, [&] { return closed_ || !lines_.empty(); });
        if (closed_ || stop.stop_requested()) return nullptr;
        auto& line = lines_.front();
        auto item = std::move(line.items.front());
        line.items.pop_front();
        line.bytes -= item->bytes();
        item->state = Item::State::taken;
        if (line.items.empty())
            lines_.pop_front();
        else
            lines_.splice(lines_.end(), lines_, lines_.begin());
        lock.unlock();
        item->on_stop.reset();  // may wait for it to run out, which needs the mutex
        return item;
    }

    /// Takes in nothing more and answers all that waits.
    void close() {
        std::list<Line> waiting;
        {
            std::lock_guard lock(mutex_);
            closed_ = true;
            waiting.swap(lines_);
            for (auto& line : waiting)
                for (auto& item : line.items) item->state = Item::State::taken;
        }
        arrived_.notify_all();
        for (auto& line : waiting)
            for (auto& item : line.items) {
                item->on_stop.reset();
                item->done(stopped());
            }
    }

private:
    struct Line {
        std::string plugin;
        std::deque<ItemPtr> items;
        std::size_t bytes = 0;
    };

    /// Why it may not wait; else it does, and `item` is gone.
    std::optional<Failure> push(ItemPtr& item) {
        const auto& plugin = item->request.plugin;
        std::lock_guard lock(mutex_);
        if (closed_ || item->state == Item::State::stopped) {
            item->state = Item::State::taken;
            return stopped().error();
        }
        auto line = std::find_if(lines_.begin(), lines_.end(), [&](auto& l) { return l.plugin == plugin; });
        if (line == lines_.end()) line = lines_.insert(lines_.end(), Line{plugin, {}, 0});
        const bool room = line->items.size() < options_.waiting_per_plugin &&
                          (line->items.empty() || line->bytes + item->bytes() <= options_.bytes_per_plugin);
        if (!room) {
            item->state = Item::State::taken;
            return Failure{
                Cause::busy,
                fmt::format("plugin '{}' has {} site calls waiting already", plugin, line->items.size()),
                0,
                0,
                {}};
        }
        item->state = Item::State::waiting;
        line->bytes += item->bytes();
        line->items.push_back(std::move(item));
        arrived_.notify_one();
        return {};
    }

    /// Runs on the thread that requested the stop, possibly before the item waits, or after.
    void stop_requested(Item& item) {
        ItemPtr mine;
        {
            std::lock_guard lock(mutex_);
            if (item.state == Item::State::arriving) item.state = Item::State::stopped;
            if (item.state != Item::State::waiting) return;
            const auto line = std::find_if(lines_.begin(), lines_.end(),
                                           [&](auto& l) { return l.plugin == item.request.plugin; });
            const auto found = std::find_if(line->items.begin(), line->items.end(),
                                            [&](auto& each) { return each.get() == &item; });
            mine = std::move(*found);
            line->items.erase(found);
            line->bytes -= mine->bytes();
            if (line->items.empty()) lines_.erase(line);
        }
        mine->done(stopped());
    }

    const Options& options_;
    std::mutex mutex_;
    std::condition_variable_any arrived_;
    std::list<Line> lines_;  // none is empty; the front one's turn is next
    bool closed_ = false;
};

SiteRequestPool::SiteRequestPool(site::Client& client, Credentials credentials, Options options, Logger& log)
    : client_(client),
      credentials_(std::move(credentials)),
      options_(options),
      log_(log),
      calls_(std::make_unique<Queue>(options_)),
      files_(std::make_unique<Queue>(options_)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.threads); ++i)
        work(*calls_, "site-call-" + std::to_string(i));
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.file_threads); ++i)
        work(*files_, "site-file-" + std::to_string(i));
}

void SiteRequestPool::work(Queue& queue, const std::string& thread_name) {
    workers_.push_back(start_thread(thread_name, [this, &queue](std::stop_token stop) {
        while (auto item = queue.take(stop)) item->done(answer(*item, stop));
    }));
}

SiteRequestPool::~SiteRequestPool() { shut_down(); }

void SiteRequestPool::shut_down() {
    for (auto& worker : workers_) worker.request_stop();
    calls_->close();
    files_->close();
    workers_.clear();  // joins
}

void SiteRequestPool::start(host::SiteRequest request, std::stop_token stop,
                            std::function<void(host::SiteAnswer)> done) {
    auto& queue = site::moves_file(request.method) ? *files_ : *calls_;
    queue.add(std::make_unique<Item>(std::move(request), std::move(stop), std::move(done)));
}

host::SiteAnswer SiteRequestPool::answer(Item& item, std::stop_token worker_stop) try {
    std::stop_source either;
    const auto stop = [&] { either.request_stop(); };
    std::stop_callback on_item(item.stop, stop);
    std::stop_callback on_worker(std::move(worker_stop), stop);

    const auto& request = item.request;
    auto caller = credentials_.resolve(request);
    if (!caller) return tl::unexpected(std::move(caller.error()));
    site::CallOptions options;
    options.stop = either.get_token();
    options.credential = std::move(caller->credential);
    auto credential = client_.logged_in(options);
    if (!credential) return tl::unexpected(std::move(credential.error()));
    options.credential = std::move(*credential);
    options.sudo_as_login = std::move(caller->sudo_as_login);
    if (options_.pass_session_uuid) options.session_uuid = request.session_uuid;
    options.progress = now_and_then(request.progress);
    auto answer = site::call_site(client_, request.method, request.arguments, options);
    if (!answer)
        log_.debug(
            "[SITE-CALL-FAILED] A plugin's call of the site failed. plugin={} event={} cause=\"{}\" "
            "why=\"{}\"",
            request.plugin, request.event, to_string(answer.error().cause), answer.error().message);
    return answer;
} catch (const std::exception& error) {  // a door: nothing a plugin asks for may end the daemon
    return fail(Cause::internal, "the call of the site ended in an error: {}", error.what());
}

}  // namespace sg::service
