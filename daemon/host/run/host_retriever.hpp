#pragma once
// `sg::DataRetriever` inside a host.

#include <sg/event.hpp>
#include <sg/retriever.hpp>
#include <stop_token>

#include "host/run/data_link.hpp"
#include "host/run/host_tasks.hpp"
#include "host/run/site_stub.hpp"

namespace sg::host {

/// The requests of one host's plugin. The daemon's retriever works on them, but for methods, which are the
/// plugin's code: they run on the host's task manager. So do the signals and coroutines of all.
///
/// Threads: any.
class HostRetriever {
public:
    HostRetriever(HostChannel& channel, LinkTurn& turn, HostTasks& tasks, SiteCalls& site_calls)
        : channel_(channel), turn_(turn), tasks_(tasks), site_calls_(site_calls) {}

    using TaskPtr = std::shared_ptr<tasks::Task>;
    using From = LastingSite::From;

    // All throw `Closed` once the host ends. Requests are stopped with `stop`.
    TaskPtr ask(const From& from, std::string what, const nlohmann::json& arguments, int priority,
                Image image, std::stop_token stop);
    TaskPtr run(From from, Method method, nlohmann::json args, nlohmann::json kwargs, std::stop_token stop);
    std::size_t clear();
    bool stop_work(Uid uid);
    template <class Function>
    Connection connect(tasks::Slots<Function> tasks::Account::*signal, Function slot) {
        const auto parts = get();
        auto& account = parts->account;
        return parts->pool->connect(account, (*account).*signal, account->slot_count, std::move(slot));
    }

    void answer(DataAnswer answer);
    void cleared(DataCleared cleared);

    /// The daemon is gone: requests are stopped, those to come too. Methods go on.
    void close();

    /// Stops what there is and waits until no method and no slot runs any more.
    void end();

private:
    struct Parts {
        Parts(HostChannel& channel, LinkTurn& turn, std::shared_ptr<TaskManager> host)
            : manager(std::move(host)),
              pool(tasks::pool_of(*manager)),
              link(std::make_shared<DataLink>(channel, turn, pool)) {}
        std::shared_ptr<TaskManager> manager;
        std::shared_ptr<tasks::Pool> pool;
        std::shared_ptr<tasks::Account> account = std::make_shared<tasks::Account>();
        std::mutex mutex;
        std::map<std::uint64_t, TaskPtr> methods;  // not ended
        std::shared_ptr<DataLink> link;
    };
    std::shared_ptr<Parts> get();
    std::shared_ptr<Parts> known();

    HostChannel& channel_;
    LinkTurn& turn_;
    HostTasks& tasks_;
    SiteCalls& site_calls_;
    std::mutex mutex_;
    std::shared_ptr<Parts> parts_;  // from the first request on
    bool has_ended_ = false;
};

/// What one call of a callback is handed: its requests are stopped with it, while it runs.
class CallRetriever final : public DataRetriever {
public:
    CallRetriever(HostRetriever& host, std::uint16_t callback, const Event& event, std::stop_token call)
        : host_(host), callback_(callback), event_(event), relay_(std::move(call), Relay{stop_}) {}

    void start() override {}
    void stop() override;
    std::size_t clear() override { return host_.clear(); }
    bool stop_work(Uid uid) override { return host_.stop_work(uid); }
    std::filesystem::path download_thumbnail(const std::string& url) override;
    std::filesystem::path download_thumbnail_source(const std::string& entity_type,
                                                    EntityId entity_id) override;

protected:
    CorePtr start_call(std::string_view method, nlohmann::json args, nlohmann::json kwargs) override;
    CorePtr start_schema(std::optional<EntityId> project) override;
    CorePtr start_method(Method method, nlohmann::json args, nlohmann::json kwargs) override;
    CorePtr start_attachment(nlohmann::json attachment, CachePolicy cache) override;
    CorePtr start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) override;
    CorePtr start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                   ThumbnailOptions options) override;
    Connection connect_completed(Completed slot) override;
    Connection connect_failed(Failed slot) override;
    Connection connect_cancelled(Cancelled slot) override;

private:
    struct Relay {
        std::stop_source stop;
        void operator()() { stop.request_stop(); }
    };
    HostRetriever::From from() const;
    HostRetriever::TaskPtr ask(std::string what, const nlohmann::json& arguments, int priority,
                               Image image = Image::path_only);

    HostRetriever& host_;
    const std::uint16_t callback_;
    const Event& event_;
    std::stop_source stop_;
    std::stop_callback<Relay> relay_;
};

}  // namespace sg::host
