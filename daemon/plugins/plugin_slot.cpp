#include "plugins/plugin_slot.hpp"

#include <algorithm>

namespace sg::plugins {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest_pause = 5min;
constexpr auto drain_of_replaced = 60s;  // what ran in the old generation may take so long

std::string one_line(const std::string& text) {
    std::string out = text.substr(text.size() > 500 ? text.size() - 500 : 0);
    std::replace(out.begin(), out.end(), '\n', '|');
    return out;
}

}  // namespace

PluginSlot::PluginSlot(const Surroundings& set, std::string plugin, std::filesystem::path file, Logger& log)
    : set_(set),
      plugin_(std::move(plugin)),
      file_(std::move(file)),
      log_(log),
      settings_(std::make_shared<const PluginSettings>(set.options.of(plugin_))) {}

PluginSlot::~PluginSlot() {
    // The owner may keep a generation: it must not speak to us any more.
    if (starting_) starting_->detach();
    if (serving_) serving_->detach();
    for (const auto& generation : draining_) generation->detach();
}

void PluginSlot::load(std::filesystem::path file) {
    if (stopping_) return;
    file_ = std::move(file);
    removed_ = false;
    if (!settings_->enabled) return disable();
    if (building_ || starting_) {
        load_again_ = true;
        return;
    }
    retry_.reset();
    building_ = true;
    ++generations_;
    set_.make_build(plugin_, file_, generations_,
                    [this, alive = std::weak_ptr<int>(alive_)](BuildResult build) {
                        if (!alive.expired()) on_build(std::move(build));
                    });
}

void PluginSlot::on_build(BuildResult build) {
    building_ = false;
    if (stopping_ || removed_ || !settings_->enabled) return;
    if (std::exchange(load_again_, false)) return load();  // it has changed since
    if (!build) return refuse(std::move(build.error()), nullptr);
    start(std::move(*build));
}

/// Null where there is to be none, or cannot be: the plugin runs all the same.
std::unique_ptr<RunRecord> PluginSlot::run_record() {
    if (set_.options.run_records.empty()) return nullptr;
    auto record = RunRecord::make(set_.options.run_records, plugin_);
    if (record) return std::move(*record);
    log_.warning(
        "[RUN-RECORD-NONE] Should the daemon crash, it will not be known what it was running. why={}",
        record.error().message);
    return nullptr;
}

void PluginSlot::start(std::shared_ptr<const Build> build) {
    if (!serving_) stage_ = Stage::starting;
    std::unique_ptr<HostBody> body;
    if (settings_->isolation == Isolation::thread) {
        body = start_thread_host(set_.loop, plugin_, build->copy().parent_path(), run_record());
    } else {
        auto started =
            start_process_host(set_.loop, {set_.options.host_program, plugin_, set_.lock_fd(),
                                           set_.options.environment, settings_.get(), &log_, set_.pages});
        if (!started) return refuse(std::move(started.error()), std::move(build));
        body = std::move(*started);
    }
    starting_ = std::make_shared<LiveGeneration>(
        set_.loop,
        LiveGeneration::Plan{plugin_, generations_, std::move(build), settings_, &set_.options,
                             &set_.requests, set_.data, &log_, file_.string()},
        std::move(body));
    // The slot owns the generation, so it holds itself only weakly.
    const auto with = [weak = std::weak_ptr(starting_)](auto&& what) {
        if (const auto generation = weak.lock()) what(generation);
    };
    starting_->open({[this, with] { with([&](const Live& live) { on_ready(live); }); },
                     [this, with](std::vector<Outcome> outcomes) {
                         with([&](const Live& live) { on_outcomes(live, std::move(outcomes)); });
                     },
                     [this, with](LiveGeneration::Gone gone) {
                         with([&](const Live& live) { on_gone(live, std::move(gone)); });
                     }});
}

void PluginSlot::on_ready(const Live& generation) {
    starting_.reset();
    const auto before = std::exchange(serving_, generation);
    stage_ = Stage::serving;
    last_error_.clear();
    log_.info("[PLUGIN-READY] Plugin is ready. generation={} build={:.8} callbacks={} isolation={} pid={}",
              generation->number(), generation->build(), generation->callbacks().size(),
              settings_->isolation == Isolation::thread ? "thread" : "process", generation->pid());
    if (generation->callbacks().empty())
        log_.info("[PLUGIN-IDLE] The plugin registered no callback: it runs and is handed nothing.");
    set_.owner.on_ready(generation);
    if (before) {
        draining_.push_back(before);
        before->drain(drain_of_replaced);
    }
    if (std::exchange(load_again_, false)) load();
}

void PluginSlot::on_outcomes(const Live& generation, std::vector<Outcome> outcomes) {
    if (deaths_ > 0 &&
        std::any_of(outcomes.begin(), outcomes.end(), [](const auto& one) { return one.ok; })) {
        deaths_ = 0;
        log_.info("[PLUGIN-RECOVERED] The plugin handles events again. generation={}", generation->number());
    }
    set_.owner.on_outcomes(*generation, std::move(outcomes));
}

void PluginSlot::on_gone(const Live& generation, LiveGeneration::Gone gone) {
    if (gone.killed) report_.killed.push_back(plugin_);
    if (gone.abandoned) {
        report_.abandoned.push_back(plugin_);
        abandoned_.push_back(generation);
        log_.error(
            "[HOST-ABANDONED] A callback does not return, and a thread cannot be ended; it and its build "
            "stay in "
            "the daemon. generation={} build={:.8}",
            generation->number(), generation->build());
    }
    if (!stopping_)
        for (const auto& one : gone.still_mapped)
            log_.warning(
                "[LIBRARY-STAYS] A library of a build that has ended stays in the daemon's memory. "
                "generation={} build={:.8} library={} why={}",
                generation->number(), generation->build(), one.library.filename().string(), one.why);
    if (starting_ == generation) {
        starting_.reset();
        if (removed_ || stopping_ || !settings_->enabled) {
            load_again_ = false;
        } else if (gone.expected) {  // removed, and back before it had ended
            load_again_ = false;
            load();
        } else {
            refuse(gone.refused.value_or(Failure{Cause::internal, gone.end.reason, 0, 0, {}}),
                   generation->build_of());
        }
    } else if (serving_ == generation) {
        serving_.reset();
        if (!gone.expected && !stopping_ && !removed_ && settings_->enabled) on_died(generation, gone.end);
        set_.owner.on_end(*generation, gone.end);
    } else {
        draining_.erase(std::remove(draining_.begin(), draining_.end(), generation), draining_.end());
        set_.owner.on_end(*generation, gone.end);
    }
    if (is_ended()) {
        stage_ = Stage::stopped;
        set_.ended();
    }
}

void PluginSlot::on_died(const Live& generation, const HostEnd& end) {
    const auto pause = next_pause();
    std::string in_hand = "none";
    if (!end.running.empty())
        in_hand = fmt::format("event={} callback={}", end.running.front().event,
                              generation->callbacks()[end.running.front().callback].name);
    last_error_ = end.reason;
    const auto level = deaths_ == 3 ? LogLevel::error : LogLevel::warning;
    log_.log(
        level,
        "[HOST-DIED] The plugin's host died; another one is started. reason={} running=[{}] generation={} "
        "build={:.8} deaths={} wait_s={} stderr=[{}]",
        end.reason, in_hand, generation->number(), generation->build(), deaths_, pause.count(),
        one_line(end.last_words));
    if (end.running.empty()) note_idle_death(end);
    if (starting_ || building_) return;  // another build is on its way already
    stage_ = Stage::retrying;
    retry(generation->build_of(), pause);
}

/// A death with nothing in hand can be blamed on no event, so somebody must look.
void PluginSlot::note_idle_death(const HostEnd& end) {
    const auto now = set_.loop.clock().now();
    idle_deaths_.push_back(now);
    while (!idle_deaths_.empty() && now - idle_deaths_.front() > 1min) idle_deaths_.pop_front();
    if (idle_deaths_.size() != 3) return;
    log_.error(
        "[HOST-DIES-IDLE] The plugin's host died three times within a minute while it ran no event: look "
        "for a background thread or a destructor. reason={}",
        end.reason);
}

std::chrono::seconds PluginSlot::next_pause() {
    const auto before = deaths_++;
    if (before == 0) return 0s;
    return std::min<std::chrono::seconds>(longest_pause, 1s * (1 << std::min(before - 1, 10u)));
}

void PluginSlot::refuse(Failure why, std::shared_ptr<const Build> build) {
    // A disk or a system that refuses us may be better tomorrow; a wrong file is wrong until it changes.
    const bool is_ours = !build && why.cause == Cause::internal;
    const bool will_retry = is_transient(why.cause) || is_ours;
    last_error_ = why.message;
    if (!serving_) stage_ = will_retry ? Stage::retrying : Stage::refused;
    if (will_retry) {
        if (deaths_ == 0) deaths_ = 1;  // a start that fails is not tried again at once
        const auto pause = next_pause();
        log_.warning("[PLUGIN-RETRY] The plugin could not be started; trying again. file={} why={} wait_s={}",
                     file_.string(), why.message, pause.count());
        retry(std::move(build), pause);
    } else {
        log_.error("[PLUGIN-REFUSED] The plugin is not loaded{}. file={} why={}",
                   serving_ ? "; the earlier build goes on" : "", file_.string(), why.message);
    }
    set_.owner.on_refused(plugin_, why, will_retry);
    if (std::exchange(load_again_, false)) load();
}

void PluginSlot::retry(std::shared_ptr<const Build> build, std::chrono::seconds pause) {
    retry_ = set_.loop.after(pause, [this, build = std::move(build)]() mutable {
        if (!build) return load();
        ++generations_;
        start(std::move(build));
    });
}

void PluginSlot::configure() {
    const bool was_enabled = settings_->enabled;
    settings_ = std::make_shared<const PluginSettings>(set_.options.of(plugin_));
    if (stopping_ || removed_ || settings_->enabled == was_enabled) return;
    if (!settings_->enabled) return disable();
    stage_ = Stage::starting;
    load();
}

void PluginSlot::disable() {
    if (std::exchange(stage_, Stage::disabled) == Stage::disabled) return;
    load_again_ = false;
    retry_.reset();
    last_error_.clear();
    log_.info(
        "[PLUGIN-DISABLED] The plugin is disabled; it is unloaded, handed nothing, and keeps its place.");
    if (starting_) starting_->drain({});
    if (serving_) serving_->drain(drain_of_replaced);
}

void PluginSlot::remove() {
    if (stopping_ || std::exchange(removed_, true)) return;
    load_again_ = false;
    retry_.reset();
    stage_ = Stage::gone;
    last_error_ = "its file is gone";
    log_.warning(
        "[PLUGIN-GONE] The plugin's file is gone; it is handed nothing more until the file is back, and goes "
        "on where it was. file={}",
        file_.string());
    if (starting_) starting_->drain({});
    if (serving_) serving_->drain(drain_of_replaced);
}

void PluginSlot::stop(std::chrono::milliseconds drain) {
    stopping_ = true;
    retry_.reset();
    if (starting_) starting_->drain(drain);
    if (serving_) serving_->drain(drain);
    for (const auto& generation : draining_) generation->drain(drain);
    if (is_ended()) stage_ = Stage::stopped;
}

PluginStatus PluginSlot::status() const {
    PluginStatus status;
    status.plugin = plugin_;
    status.file = file_;
    status.stage = stage_;
    status.last_error = last_error_;
    if (const auto& generation = serving_ ? serving_ : starting_) {
        status.build = generation->build();
        status.generation = generation->number();
        status.pid = generation->pid();
        status.callbacks = generation->callbacks().size();
        status.outstanding = generation->outstanding();
        status.stuck = generation->is_stuck();
        status.alerts = nlohmann::json::parse(generation->alerts(), nullptr, false);
        if (status.alerts.is_discarded()) status.alerts = "all";
        status.log_level = generation->log_level();
    }
    return status;
}

}  // namespace sg::plugins
