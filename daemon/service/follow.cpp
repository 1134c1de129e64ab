#include "service/follow.hpp"

#include "service/settings.hpp"
#include "stream/site_event_reader.hpp"
#include "util/loop.hpp"
#include "util/temporary_directory.hpp"

namespace sg::service {
namespace {

/// In place of a dispatcher.
class Taker final : public event::EventSink {
public:
    Taker(std::optional<std::size_t> most, const std::function<bool(const event::EventRow&)>& take)
        : left_(most), take_(take) {}

    void on_live(const event::Stretch& live) override {
        for (const auto& row : live.page->rows())
            if (row.id > live.after) offer(row);
    }
    void on_late(const event::PagePtr& rows, checkpoint::Batch&, event::Late) override {
        for (const auto& row : rows->rows()) offer(row);
    }
    bool is_done() const { return done_; }

private:
    void offer(const event::EventRow& row) {
        if (done_) return;
        done_ = !take_(row);
        if (left_ && --*left_ == 0) done_ = true;
    }
    std::optional<std::size_t> left_;
    const std::function<bool(const event::EventRow&)>& take_;
    bool done_ = false;
};

}  // namespace

Result<void> follow(const config::Config& config, const FollowOptions& options, logging::Logging& logging,
                    const std::function<bool(const event::EventRow&)>& take, std::stop_token stop) {
    if (options.most == std::size_t{0}) return {};
    auto& log = logging.engine();
    SystemClock clock;
    auto client = site::Client::make(site_settings(config), clock, log);
    if (!client) return tl::unexpected(client.error());
    stream::SiteEventReader reader(**client, daemon_caller(config));
    // The stream keeps what it waits for in a store; this one is gone afterwards.
    auto place = TemporaryDirectory::make("sgeventd-follow");
    if (!place) return tl::unexpected(place.error());
    checkpoint::Store::Options where;
    where.directory = place->path();
    auto store = checkpoint::Store::open(where, clock, log);
    if (!store) return tl::unexpected(store.error());
    if (options.since) {
        checkpoint::Batch batch;
        batch.set_highest_seen(*options.since);
        (*store)->apply(std::move(batch), checkpoint::Urgency::settled);
        if (auto saved = (*store)->flush(std::chrono::seconds(10)); !saved) return saved;
        store->reset();
        store = checkpoint::Store::open(where, clock, log);
        if (!store) return tl::unexpected(store.error());
    }
    Loop loop(clock);
    Taker taker(options.most, take);
    stream::Stream stream(stream_settings(config), loop, reader, **store, taker, log);
    const std::stop_callback wake(stop, [&loop] { loop.post([] {}); });
    stream.start();
    while (!taker.is_done() && !stop.stop_requested()) loop.run_some();
    stream.stop();
    return {};
}

}  // namespace sg::service
