#pragma once
// One plugin of the configuration, through all its generations.

#include <deque>

#include "host/link/shared_text.hpp"
#include "plugins/live_generation.hpp"

namespace sg::plugins {

/// Starts generations of one plugin and starts them again when they die: at once the first time,
/// then after 1, 2, 4 … seconds, at most five minutes, until one has settled an event.
///
/// Loop thread only.
class PluginSlot {
public:
    using BuildResult = Result<std::shared_ptr<const Build>>;

    /// What it needs of the set.
    struct Surroundings {
        Loop& loop;
        const PluginSetOptions& options;
        host::SiteRequests& requests;
        GenerationOwner& owner;

        /// Makes a build of a file on another thread and hands it to `done` on the loop.
        std::function<void(std::string plugin, std::filesystem::path file, std::uint64_t generation,
                           std::function<void(BuildResult)> done)>
            make_build;
        std::function<int()> lock_fd;
        std::shared_ptr<host::SharedPages> pages;
        std::function<void()> ended;  ///< after `stop`, when nothing of the plugin runs any more
        host::DataRequests* data = nullptr;
    };

    PluginSlot(const Surroundings& set, std::string plugin, std::filesystem::path file, Logger& log);
    ~PluginSlot();

    const std::string& plugin() const noexcept { return plugin_; }

    /// Starts a generation of `file` as it is now, beside the one that serves.
    void load(std::filesystem::path file);  ///< of a disabled plugin: when it is enabled
    void load() { load(file_); }

    /// The options have changed: follows what they say about being enabled, the rest with the next
    /// generation.
    void configure();

    /// Its file is gone: what runs may finish, nothing more is started until `load`.
    void remove();

    void stop(std::chrono::milliseconds drain);
    bool is_ended() const noexcept { return stopping_ && !starting_ && !serving_ && draining_.empty(); }
    const StopReport& report() const noexcept { return report_; }
    PluginStatus status() const;

private:
    using Live = std::shared_ptr<LiveGeneration>;

    void disable();
    void on_build(BuildResult build);
    void start(std::shared_ptr<const Build> build);
    std::unique_ptr<RunRecord> run_record();
    void on_ready(const Live& generation);
    void on_outcomes(const Live& generation, std::vector<Outcome> outcomes);
    void on_gone(const Live& generation, LiveGeneration::Gone gone);
    void on_died(const Live& generation, const HostEnd& end);
    void refuse(Failure why, std::shared_ptr<const Build> build);
    void retry(std::shared_ptr<const Build> build, std::chrono::seconds pause);
    std::chrono::seconds next_pause();
    void note_idle_death(const HostEnd& end);

    const Surroundings& set_;
    std::string plugin_;
    std::filesystem::path file_;
    Logger& log_;
    std::shared_ptr<const PluginSettings>
        settings_;  // shared with generations, which keep what they began with
    Live starting_, serving_;
    std::vector<Live> draining_;
    std::vector<Live> abandoned_;  // their threads run on: letting one go would wait for it
    bool building_ = false, load_again_ = false, removed_ = false, stopping_ = false;
    std::uint64_t generations_ = 0;
    unsigned deaths_ = 0;  // one after the other, without a settled event in between
    std::deque<Clock::Time> idle_deaths_;
    Stage stage_ = Stage::starting;
    std::string last_error_;
    StopReport report_;
    Loop::Handle retry_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace sg::plugins
