// Wires the parts, waits, and takes them down in order.

#include "service/service.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <future>
#include <thread>

#include "checkpoint/store.hpp"
#include "dispatch/dispatcher.hpp"
#include "plugins/file_worker.hpp"
#include "plugins/plugin_set.hpp"
#include "plugins/run_record.hpp"
#include "service/admin_views.hpp"
#include "service/alert_desk.hpp"
#include "service/call_history.hpp"
#include "service/data_requests.hpp"
#include "service/disabled_plugins.hpp"
#include "service/explanation.hpp"
#include "service/key_masking.hpp"
#include "service/observed.hpp"
#include "service/panel.hpp"
#include "service/pid_file.hpp"
#include "service/plugin_times.hpp"
#include "service/recent_events.hpp"
#include "service/registered_first.hpp"
#include "service/settings.hpp"
#include "service/sign_of_life.hpp"
#include "service/site_requests.hpp"
#include "stream/site_event_reader.hpp"
#include "stream/stream.hpp"
#include "util/loop.hpp"
#include "util/thread.hpp"

namespace sg::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds close_limit{20'000};  // a disk that hangs must not keep the process for ever

ExitCode code_of(checkpoint::OpenRefusal refusal) {
    switch (refusal) {
        case checkpoint::OpenRefusal::locked:
            return ExitCode::locked;
        case checkpoint::OpenRefusal::damaged:
            return ExitCode::state_refused;
        case checkpoint::OpenRefusal::io:
            break;
    }
    return ExitCode::io;
}

}  // namespace

/// What lives as long as the daemon follows the site. Members stand in the order they must live.
class Service::Parts {
public:
    Parts(Service& service, checkpoint::Store& store, site::Client& client,
          const std::optional<PidFile>& pid_file)
        : service_(service),
          config_(service.config_),
          log_(service.log_),
          store_(store),
          started_(service.clock_.utc()),
          loop_(service.clock_),
          disabled_(store, loop_, log_),
          options_(disabled_.applied(plugin_options(config_))),
          pid_file_(loop_, pid_file, [&service] { service.stop("the pid file was removed"); }),
          reader_(client, daemon_caller(config_)),
          requests_(client, plugin_credentials(config_), request_options(config_), log_),
          masked_(requests_, service.logging_),
          data_(plugin_access(config_, client, log_), data_options(config_, config_.file_cache_dir()),
                [this](const std::string& key) { masked_.mask(key); }),
          dispatcher_(dispatch_settings(config_), loop_, store, log_) {
        if (service.observer_ != nullptr) observed_.emplace(dispatcher_, *service.observer_);
        event::EventSink& sink = observed_ ? static_cast<event::EventSink&>(*observed_) : dispatcher_;
        plugins::GenerationOwner& handler =
            observed_ ? static_cast<plugins::GenerationOwner&>(*observed_) : dispatcher_;
        owner_.emplace(handler, [this](const auto& generation) { on_registered(generation); });
        stream_ = std::make_unique<stream::Stream>(stream_settings(config_), loop_, reader_, store, sink,
                                                   log_, listener());
        plugins_ = plugins::PluginSet::make(
            options_, loop_, masked_, *owner_, log_,
            [this](const std::string& plugin) -> Logger& { return plugin_logger(plugin); }, &data_);
        dispatcher_.count_interrupted(plugins::find_interrupted(options_.run_records, log_));
        dispatcher_.on_ended_call([this](const dispatch::EndedCall& call) { write_down(call); });
        panel_ = std::make_unique<Panel>(
            loop_, log_,
            Panel::Wiring{
                [this] { return snapshot(); },
                [this](std::function<void()> answered) { stream_->poll_now(std::move(answered)); },
                [this] { return stream_->level(); }, [this](const std::string& plugin) { reload(plugin); },
                [this](UtcTime time, std::function<void(Result<EventId>)> ready) {
                    stream_->first_since(time, std::move(ready));
                },
                [this](const std::string& plugin, bool enabled, const std::string& caller, auto done) {
                    set_enabled(plugin, enabled, caller, std::move(done));
                },
                [this](const std::string& plugin, LogLevel level) {
                    auto& logging = service_.logging_;
                    logging.set_level(plugin.empty() ? log_ : logging.plugin(plugin), level);
                },
                [this](const std::string& plugin, EventId event) {
                    auto known = known_of(plugin, event, statuses(), options_, dispatcher_, *stream_);
                    known.calls = history_.of(plugin, event);
                    known.calls_since = history_.since().value_or(started_);
                    return to_json(known);
                },
                dispatcher_});
    }

    void start() {
        loop_.post([this] {
            alive_.start();
            pid_file_.start();
            watch_for_quiet();
            panel_->listen({config_.webhook.address, config_.webhook.token.value});
            panel_->open(admin_options(config_), config_.admin.token.value);
            plugins_->start([this](const auto& found) { begin(found); });
        });
        thread_ = start_thread("loop", [this](std::stop_token stop) { loop_.run(std::move(stop)); });
    }

    /// Blocks until callbacks and hosts are gone, or abandoned.
    plugins::StopReport stop() {
        std::promise<plugins::StopReport> stopped;
        auto report = stopped.get_future();
        loop_.post([this, &stopped] { begin_stop(stopped); });
        auto result = report.get();
        thread_.request_stop();
        thread_.join();
        return result;
    }

    void poll_now() {
        loop_.post([this] {
            log_.info("[POLL-NOW] Asked to look for events at once.");
            stream_->poll_now();
        });
    }

    void reload() {
        loop_.post([this] {
            log_.info("[RELOADING] Asked to read the configuration and load every plugin anew.");
            reload({});
        });
    }

private:
    void reload(const std::string& plugin) {
        if (!plugin.empty()) return plugins_->load(plugin);
        if (std::exchange(is_reading_, true)) {
            read_again_ = true;  // it may have changed since it was read
            return;
        }
        service_.notifier_.reloading();
        reading_.add([this] {
            auto read = service_.read_config_ ? service_.read_config_() : config::Loaded{config_, {}};
            loop_.post([this, read = std::move(read)] { on_read(read); });
        });
    }

    void on_read(const tl::expected<config::Loaded, std::vector<config::Problem>>& read) {
        is_reading_ = false;
        if (std::exchange(read_again_, false)) return reload({});
        if (read) {
            if (service_.read_config_) take_over(*read);
            plugins_->load_all();
        } else {
            log_.error(
                "[CONFIG-REFUSED] The configuration is wrong; the one that was read before stays, and no "
                "plugin "
                "is loaded anew. errors={} first=[{}]",
                read.error().size(), read.error().front().to_string());
        }
        service_.notifier_.ready();
        panel_->refresh();
    }

    void take_over(const config::Loaded& read) {
        for (const auto& secret : read.config.secrets()) service_.logging_.add_secret(secret);
        const auto changes = config::changes(config_, read.config);
        config_ = config::taken_over(config_, read.config);
        service_.drain_time_ = config_.drain_time;
        service_.logging_.set_level(log_, config_.log.level);
        service_.logging_.set_keeping(static_cast<std::size_t>(config_.log.keep), config_.log.compress);
        if (service_.alerts_ != nullptr) service_.alerts_->configure(alert_options(config_));
        dispatcher_.configure(dispatch_settings(config_));
        configure_plugins();
        for (const auto& plugin : plugins_->status()) plugin_logger(plugin.plugin, plugin.log_level);
        for (const auto& warning : read.warnings) log_.warning("[CONFIG-WARNING] {}", warning.to_string());
        log_changes(changes, log_);
    }

    void configure_plugins() {
        options_ = disabled_.applied(plugin_options(config_));
        plugins_->configure(options_.defaults, options_.plugins);
    }

    /// Whether somebody wants a plugin loaded; the configuration may say otherwise.
    void set_enabled(const std::string& plugin, bool enabled, const std::string& caller,
                     DisabledPlugins::Done done) {
        if (enabled && !config_.of(plugin).enabled)
            return done(fail(Cause::invalid, "the configuration says enabled: false for {}", plugin));
        enabled ? disabled_.enable(plugin, caller, std::move(done))
                : disabled_.disable(plugin, caller, std::move(done));
        configure_plugins();
    }

    Statuses statuses() const {
        return {stream_->status(), dispatcher_.status(), plugins_->status(), service_.clock_.now(),
                service_.clock_.utc()};
    }

    admin::Snapshot snapshot() {
        const auto statuses = this->statuses();
        admin::Snapshot taken;
        taken.daemon = {SG_VERSION, ::getpid(), config_.site.url, started_, statuses.utc};
        taken.daemon.commits = store_.commits();
        taken.stream = stream_view(statuses);
        taken.plugins = plugin_views(statuses, options_);
        disabled_.explain(taken.plugins);
        times_.tell(taken.plugins, statuses.utc, statuses.stream.skew);
        if (service_.alerts_ != nullptr) taken.alerts = alert_views(service_.alerts_->status());
        taken.recent = recent_.list();
        alive_.tell(one_line(taken));
        return taken;
    }

    void write_down(const dispatch::EndedCall& call) {
        times_.add(call);
        history_.add(call);
        recent_.note(call);
        if (!service_.logging_.wants_timings()) return;
        logging::Timing timing;
        timing.event = call.event.id;
        if (call.event.created_at != std::chrono::sys_seconds()) timing.created_at = call.event.created_at;
        timing.callback = fmt::format("{}.{}", call.plugin, call.callback);
        timing.end = call.ended;
        timing.start = timing.end - call.took;
        timing.failed = !call.ok;
        service_.logging_.timing(timing);
    }

    void watch_for_quiet() {
        const auto status = stream_->status();
        quiet_.look(status.events, status.state == stream::State::level);
        if (config_.alerts.quiet_after)
            quiet_timer_ = loop_.after(milliseconds(1000), [this] { watch_for_quiet(); });
    }

    stream::Listener listener() {
        stream::Listener to;
        to.on_begin = [this](EventId level) {
            dispatcher_.begin(*stream_);
            if (service_.observer_ != nullptr) service_.observer_->on_site(level);
        };
        to.on_give_up = [this](const Failure& why) {
            log_.error(
                "[STRICT-START] The site could not be reached in time, and strict_start is set. after={} "
                "why={}",
                std::chrono::duration_cast<milliseconds>(config_.strict_start_time).count(), why.message);
            service_.stop("the site cannot be reached", ExitCode::unavailable);
        };
        return to;
    }

    /// Keeps lines from `chosen` up, where the plugin chose a level, else as configured.
    Logger& plugin_logger(const std::string& plugin, std::optional<LogLevel> chosen = {}) {
        Logger& logger = service_.logging_.plugin(plugin);
        service_.logging_.set_level(logger, chosen.value_or(config_.of(plugin).log_level));
        return logger;
    }

    void on_registered(const plugins::Generation& generation) {
        plugin_logger(generation.plugin(), generation.log_level());
        if (service_.alerts_ != nullptr)
            service_.alerts_->register_recipients(generation.plugin(), generation.alerts());
    }

    void begin(const std::vector<std::string>& found) {
        const auto known = plugins_->status();  // disabled ones included
        for (const auto& [name, unused] : config_.plugins)
            if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return one.plugin == name; }))
                log_.warning("[PLUGIN-ABSENT] A plugin of the configuration is in no collection. plugin={}",
                             name);
        dispatcher_.expect(found);
        stream_->start();
        panel_->refresh();
        service_.notifier_.ready();
        log_.info("[STARTED] Running. plugins={}", found.size());
    }

    void begin_stop(std::promise<plugins::StopReport>& stopped) {
        stream_->stop();
        const auto deadline = service_.clock_.now() + config_.drain_time;
        dispatcher_.drain(config_.drain_time, [this, deadline, &stopped](std::size_t left) {
            if (left > 0)
                log_.warning(
                    "[DRAIN-CUT] Not all callbacks ended in time; their events are given out again at the "
                    "next start. events={}",
                    left);
            data_.shut_down();
            requests_.shut_down();  // so that a registration which waits for the site ends too
            const auto rest = std::max(Clock::Duration::zero(), deadline - service_.clock_.now());
            plugins_->stop(std::chrono::duration_cast<milliseconds>(rest), [this, &stopped](auto report) {
                dispatcher_.finish();
                stopped.set_value(std::move(report));
            });
        });
    }

    Service& service_;
    config::Config config_;  // what counts now; as of the start for what cannot change
    Logger& log_;
    checkpoint::Store& store_;
    const UtcTime started_;
    Loop loop_;
    DisabledPlugins disabled_;
    plugins::PluginSetOptions options_;  // of the plugins, disabled ones included
    SignOfLife alive_{loop_, service_.notifier_};
    PidFileWatch pid_file_;
    stream::SiteEventReader reader_;
    SiteRequestPool requests_;
    KeyMasking masked_;
    DataRequestPool data_;
    dispatch::Dispatcher dispatcher_;
    std::optional<Observed> observed_;
    std::optional<RegisteredFirst> owner_;
    QuietWatch quiet_{config_.alerts.quiet_after, service_.clock_, log_};
    Loop::Handle quiet_timer_;
    PluginTimes times_;
    CallHistory history_;
    RecentEvents recent_{history_};
    std::unique_ptr<stream::Stream> stream_;
    std::unique_ptr<plugins::PluginSet> plugins_;
    std::unique_ptr<Panel> panel_;
    bool is_reading_ = false, read_again_ = false;
    plugins::FileWorker reading_;  // of the configuration, which may lie on a network file system
    std::jthread thread_;          // runs the loop; ends first
};

Service::Service(config::Config config, logging::Logging& logging, Clock& clock, Observer* observer,
                 Notifier notifier, alerts::Alerts* alerts)
    : config_(std::move(config)),
      logging_(logging),
      log_(logging.engine()),
      clock_(clock),
      observer_(observer),
      notifier_(std::move(notifier)),
      alerts_(alerts),
      drain_time_(config_.drain_time) {}

Service::~Service() = default;

ExitCode Service::run() {
    log_.info("[STARTING] Starting. version={} pid={} site={} state={}", SG_VERSION, ::getpid(),
              config_.site.url, config_.state_dir.string());
    const auto code = follow();
    if (code == ExitCode::ok)
        log_.info("[STOPPED] Stopped in order.");
    else
        log_.error("[STOPPED] Stopped. exit_code={}", static_cast<int>(code));
    logging_.flush();
    notifier_.ended(fmt::format("stopped, exit code {}", static_cast<int>(code)));
    return code;
}

ExitCode Service::follow() {
    checkpoint::Store::Options options;
    options.directory = config_.state_dir;
    auto store = checkpoint::Store::open(options, clock_, log_);
    if (!store) {
        log_.error("[STATE-REFUSED] {}", store.error().message);
        return code_of(checkpoint::open_refusal(store.error()));
    }
    auto client = site::Client::make(site_settings(config_), clock_, log_);
    if (!client) {
        log_.error("[CONFIG-REFUSED] {}", client.error().message);
        return ExitCode::config;
    }
    std::optional<PidFile> pid_file;
    if (!config_.pid_file.empty()) {
        auto written = PidFile::write(config_.pid_file);
        if (!written) {
            log_.error("[PID-FILE] {}", written.error().message);
            return ExitCode::io;
        }
        pid_file.emplace(std::move(*written));
    }
    auto parts = std::make_unique<Parts>(*this, **store, **client, pid_file);
    {
        std::lock_guard lock(mutex_);
        parts_ = parts.get();
    }
    parts->start();
    wait_for_stop();
    const auto report = parts->stop();
    for (const auto& plugin : report.killed)
        log_.warning("[HOST-KILLED] A plugin did not end in time and was ended. plugin={}", plugin);
    if (const auto closed = (*store)->close(close_limit); !closed) {
        log_.error(
            "[PROGRESS-LOST] The last progress could not be saved; some events are handed out again. why={}",
            closed.error().message);
        code_ = ExitCode::io;
    }
    for (const auto& plugin : report.abandoned)
        log_.warning("[PLUGIN-ABANDONED] A callback runs on in a thread of the daemon. plugin={}", plugin);
    if (!report.abandoned.empty()) {
        has_abandoned_ = true;
        for (auto* kept : {static_cast<void*>(parts.release()), static_cast<void*>(client->release()),
                           static_cast<void*>(store->release())})
            static_cast<void>(kept);  // that thread may use them
    }
    return code_;
}

void Service::wait_for_stop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_reason_.has_value(); });
    parts_ = nullptr;  // nobody reaches them from outside any more
    notifier_.stopping();
    log_.info("[STOPPING] Stopping: {}. drain_ms={}", *stop_reason_, drain_time_.load().count());
}

void Service::stop(const std::string& why, ExitCode code) {
    std::lock_guard lock(mutex_);
    if (stop_reason_) return;
    stop_reason_ = why;
    code_ = code;
    changed_.notify_all();
}

void Service::reload() {
    std::lock_guard lock(mutex_);
    if (parts_ != nullptr) parts_->reload();
}

void Service::poll_now() {
    std::lock_guard lock(mutex_);
    if (parts_ != nullptr) parts_->poll_now();
}

}  // namespace sg::service
