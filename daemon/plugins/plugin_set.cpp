#include "plugins/plugin_set.hpp"

#include <algorithm>

#include "plugins/collection_watcher.hpp"
#include "plugins/leftovers.hpp"
#include "plugins/plugin_slot.hpp"

namespace sg::plugins {
namespace {

using namespace std::chrono_literals;

constexpr auto leftover_poll = 10ms;

class PluginSetImpl final : public PluginSet {
public:
    PluginSetImpl(PluginSetOptions options, Loop& loop, host::SiteRequests& requests, GenerationOwner& owner,
                  Logger& log, LoggerFor logger, host::DataRequests* data)
        : options_(std::move(options)),
          loop_(loop),
          log_(log),
          logger_(std::move(logger)),
          surroundings_{loop,
                        options_,
                        requests,
                        owner,
                        [this](auto plugin, auto file, auto generation, auto done) {
                            make_build(std::move(plugin), std::move(file), generation, std::move(done));
                        },
                        [this] { return lock_ ? lock_->fd() : -1; },
                        std::make_shared<host::SharedPages>(),
                        [this] { on_slot_ended(); },
                        data},
          watcher_(Collections(options_.collections, log, options_.world_writable),
                   {options_.look_interval, options_.settle_time}, loop, worker_, log,
                   {[this](const auto& found) { on_found(found); },
                    [this](const auto& plugin) { on_changed(plugin); },
                    [this](const auto& plugin) { on_gone(plugin); }}) {
        if (options_.host_program.empty()) options_.host_program = find_host_program();
    }

    void start(std::function<void(const std::vector<std::string>&)> found) override {
        found_ = std::move(found);
        auto lock = HostsLock::open(options_.lock_file);
        if (!lock) {
            log_.error("[HOSTS-LOCK] The lock of the hosts cannot be opened; trying again. why={}",
                       lock.error().message);
            waiting_ = loop_.after(2s, [this] { start(std::move(found_)); });
            return;
        }
        lock_ = std::move(*lock);
        wait_for_leftovers(loop_.clock().now() + options_.leftover_wait);
    }

    void load(const std::string& plugin) override {
        if (auto* slot = slot_of(plugin)) slot->load();
    }

    void load_all() override {
        for (const auto& slot : slots_)
            if (slot->status().stage != Stage::gone) slot->load();
    }

    void configure(PluginSettings defaults, std::map<std::string, PluginSettings> plugins) override {
        options_.defaults = std::move(defaults);
        options_.plugins = std::move(plugins);
        for (const auto& slot : slots_) slot->configure();
    }

    void stop(std::chrono::milliseconds drain, std::function<void(StopReport)> done) override {
        watcher_.stop();
        stopped_ = std::move(done);
        waiting_.reset();
        stopping_ = true;
        for (const auto& slot : slots_) slot->stop(drain);
        // Never from within: the caller may not be done with what it was doing.
        loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
            if (!alive.expired()) on_slot_ended();
        });
    }

    std::vector<PluginStatus> status() const override {
        std::vector<PluginStatus> all;
        for (const auto& slot : slots_) all.push_back(slot->status());
        return all;
    }

private:
    void wait_for_leftovers(Clock::Time until) {
        if (lock_->take()) return find();
        if (loop_.clock().now() >= until && !std::exchange(killed_leftovers_, true)) {
            for (const int pid : lock_->holders())
                if (lock_->kill(pid))
                    log_.error(
                        "[HOST-LEFTOVER] A host of an earlier daemon was still running; killed. pid={}", pid);
        }
        waiting_ = loop_.after(leftover_poll, [this, until] { wait_for_leftovers(until); });
    }

    void find() {
        worker_.add([this] {
            if (auto ready = prepare_cache(options_.cache_directory); !ready)
                log_.error("[PLUGIN-CACHE] {}.", ready.error().message);
        });
        watcher_.start();
    }

    PluginSlot& add(const FoundPlugin& plugin) {
        slots_.push_back(
            std::make_unique<PluginSlot>(surroundings_, plugin.id, plugin.file, logger_(plugin.id)));
        return *slots_.back();
    }

    PluginSlot* slot_of(const std::string& plugin) {
        for (const auto& slot : slots_)
            if (slot->plugin() == plugin) return slot.get();
        return nullptr;
    }

    void on_found(const std::vector<FoundPlugin>& found) {
        if (stopping_) return;
        std::vector<std::string> ids;
        for (const auto& plugin : found)
            if (const auto& slot = add(plugin); options_.of(plugin.id).enabled) ids.push_back(slot.plugin());
        if (found_) found_(ids);
        for (const auto& slot : slots_) slot->load();
    }

    void on_changed(const FoundPlugin& plugin) {
        auto* slot = slot_of(plugin.id);
        log_.info("[PLUGIN-{}] A plugin's file {}; loading it. plugin={} file={}",
                  slot != nullptr ? "CHANGED" : "FOUND", slot != nullptr ? "has changed" : "was found",
                  plugin.id, plugin.file.string());
        (slot != nullptr ? *slot : add(plugin)).load(plugin.file);
    }

    void on_gone(const std::string& plugin) {
        if (auto* slot = slot_of(plugin)) slot->remove();
    }

    void make_build(std::string plugin, std::filesystem::path file, std::uint64_t generation,
                    std::function<void(PluginSlot::BuildResult)> done) {
        worker_.add(
            [this, plugin = std::move(plugin), file = std::move(file), generation, done = std::move(done)] {
                auto build = Build::make(plugin, file, options_.cache_directory, generation);
                loop_.post([done, build = std::move(build)] { done(build); });
            });
    }

    void on_slot_ended() {
        if (!stopped_ ||
            !std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->is_ended(); }))
            return;
        StopReport report;
        for (const auto& slot : slots_) {
            const auto& own = slot->report();
            report.killed.insert(report.killed.end(), own.killed.begin(), own.killed.end());
            report.abandoned.insert(report.abandoned.end(), own.abandoned.begin(), own.abandoned.end());
        }
        std::exchange(stopped_, nullptr)(std::move(report));
    }

    PluginSetOptions options_;
    Loop& loop_;
    Logger& log_;
    LoggerFor logger_;
    std::optional<HostsLock> lock_;
    std::function<void(const std::vector<std::string>&)> found_;
    std::function<void(StopReport)> stopped_;
    bool killed_leftovers_ = false, stopping_ = false;
    PluginSlot::Surroundings surroundings_;
    std::vector<std::unique_ptr<PluginSlot>> slots_;
    Loop::Handle waiting_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // loop thread only
    CollectionWatcher watcher_;
    FileWorker worker_;
};

}  // namespace

std::filesystem::path find_host_program() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    const auto beside = self / "sgeventd-host";
    if (std::filesystem::exists(beside, error)) return beside;
    return self.parent_path() / SG_LIBEXEC_DIR / "sgeventd" / "sgeventd-host";
}

std::string_view to_string(Stage stage) noexcept {
    switch (stage) {
        case Stage::starting:
            return "starting";
        case Stage::serving:
            return "serving";
        case Stage::retrying:
            return "retrying to load";
        case Stage::refused:
            return "refused";
        case Stage::gone:
            return "its file is gone";
        case Stage::disabled:
            return "disabled";
        case Stage::stopped:
            break;
    }
    return "stopped";
}

std::unique_ptr<PluginSet> PluginSet::make(PluginSetOptions options, Loop& loop, host::SiteRequests& requests,
                                           GenerationOwner& owner, Logger& log, LoggerFor logger,
                                           host::DataRequests* data) {
    return std::make_unique<PluginSetImpl>(std::move(options), loop, requests, owner, log, std::move(logger),
                                           data);
}

}  // namespace sg::plugins
