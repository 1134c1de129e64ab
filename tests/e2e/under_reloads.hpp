#pragma once
// A daemon whose one plugin is replaced again and again while events come.

#include <atomic>
#include <iostream>
#include <thread>

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "e2e/resources.hpp"

namespace sg::test {

/// Reads what is added to a file, once.
class Growing {
public:
    explicit Growing(std::filesystem::path file) : file_(std::move(file)) {}
    /// The whole lines that have come since the last call.
    std::vector<std::string> lines() {
        std::ifstream in(file_, std::ios::binary);
        in.seekg(static_cast<std::streamoff>(at_));
        std::vector<std::string> out;
        for (std::string line; std::getline(in, line) && !in.eof();) {
            at_ += line.size() + 1;
            out.push_back(std::move(line));
        }
        return out;
    }

private:
    std::filesystem::path file_;
    std::size_t at_ = 0;
};

/// Events of 20 kB, with ids one after another, that come to more than the daemon keeps pages of (32 MiB):
/// from then on it forgets one for each that comes. Returns how many.
inline std::size_t fill_kept_pages(sandbox::Site& site) {
    constexpr std::size_t events = 2000;
    sandbox::EventSpec large;
    large.meta = {{"type", "attribute_change"}, {"new_value", std::string(20'000, 'x')}};
    site.add_events(events, large);
    return events;
}

/// Adds a hundred events a second as long as it lives, and counts them in `last`.
class Feeder {
public:
    Feeder(sandbox::Site& site, std::atomic<std::int64_t>& last)
        : thread_([&site, &last](const std::stop_token& stop) {
              auto next = std::chrono::steady_clock::now();
              while (!stop.stop_requested()) {
                  last = site.add_event({});
                  std::this_thread::sleep_until(next += std::chrono::milliseconds(10));
              }
          }) {}

private:
    std::jthread thread_;
};

/// `library` writes "<id> v<version>" for each event to the file that its argument `journal` names.
class UnderReloads {
public:
    UnderReloads(std::filesystem::path library, const std::string& isolation)
        : library_(std::move(library)),
          is_process_(isolation == "process"),
          home_(site_, {{"plugin", library_, {{"journal", "@DIR@/journal"}}, {{"isolation", isolation}}}},
                {{"reload", {{"interval", "100ms"}, {"settle", "50ms"}}}, {"log", {{"level", "info"}}}}),
          log_(home_.log()) {
        sandbox::EventSpec first;
        first.id = last_;
        site_.add_event(first);
    }

    /// What the daemon holds after a tenth of the reloads must be what it holds after all of them, but for so
    /// much memory. Pages that it keeps for laggards are there before that.
    void run(int reloads, std::size_t more_kb) {
        daemon_ = std::make_unique<Daemon>(home_);
        REQUIRE(daemon_->wait_until_followed({"plugin"}));
        last_ += static_cast<std::int64_t>(fill_kept_pages(site_));
        const int first = std::max(1, reloads / 10);
        replace(first);
        const auto level = at_rest(first);
        replace(reloads / 2 - first);
        at_rest(reloads / 2);
        replace(reloads - reloads / 2);
        at_rest(reloads);
        const bool is_back = wait_for([&] { return resources_of(daemon_->pid()).is_within(level, more_kb); },
                                      std::chrono::seconds(20));
        INFO("then " << level << ", now " << resources_of(daemon_->pid()));
        CHECK(is_back);
        CHECK(is_whole());
        CHECK(daemon_->count_in_log("[LIBRARY-STAYS]") == 0);
        CHECK(daemon_->count_in_log("[HOST-DIED]") == 0);
        CHECK(daemon_->terminate() == Ended{0, 0});
    }

private:
    void replace(int times) {
        const Feeder feeder(site_, last_);
        for (int i = 0; i < times; ++i) {
            const auto beside = home_.path() / "plugins/.new";
            std::filesystem::copy_file(library_, beside, std::filesystem::copy_options::overwrite_existing);
            // Bytes behind the end of a library are nobody's, and make it another build.
            std::ofstream(beside, std::ios::app | std::ios::binary) << "build " << ++generation_;
            std::filesystem::rename(beside, home_.path() / "plugins/plugin.so");
            const auto ready = "Plugin is ready. generation=" + std::to_string(generation_) + " ";
            REQUIRE(wait_for(
                [&] {
                    for (const auto& line : log_.lines())
                        if (line.find(ready) != std::string::npos) return true;
                    return false;
                },
                std::chrono::seconds(120)));
        }
    }

    /// Once every event is written down and no earlier build is there any more.
    Resources at_rest(int reloads) {
        Growing journal(home_.path() / "journal");
        std::size_t written = 0;
        REQUIRE(wait_for(
            [&] { return (written += journal.lines().size()) >= static_cast<std::size_t>(last_ - 100); },
            std::chrono::seconds(120)));
        REQUIRE(wait_for(
            [&] {
                if (is_process_) return daemon_->hosts().size() == 1;
                return copies_mapped() == 1;
            },
            std::chrono::seconds(120)));
        const auto held = resources_of(daemon_->pid());
        std::cout << reloads << " reloads, " << written << " events: " << held << std::endl;
        return held;
    }

    /// Builds of the plugin in the daemon: each has a directory "plugin.<generation>.<hash>" of its own.
    std::size_t copies_mapped() const {
        const auto maps = read_file("/proc/" + std::to_string(daemon_->pid()) + "/maps");
        std::set<std::string> copies;
        for (auto at = maps.find("/plugin."); at != std::string::npos; at = maps.find("/plugin.", at + 1)) {
            const auto name = maps.substr(at, maps.find_first_of("/\n", at + 1) - at);
            if (name != "/plugin.so") copies.insert(name);
        }
        return copies.size();
    }

    /// Each event once, in order.
    bool is_whole() const {
        std::int64_t wanted = 100;
        for (const auto& line : Growing(home_.path() / "journal").lines())
            if (std::stoll(line) != ++wanted) return false;
        return wanted == last_;
    }

    const std::filesystem::path library_;
    const bool is_process_;
    sandbox::Site site_;
    std::atomic<std::int64_t> last_{100};
    Home home_;
    Growing log_;
    std::unique_ptr<Daemon> daemon_;
    int generation_ = 1;
};

inline std::filesystem::path plugin_to_reload(const std::string& name) {
    return std::filesystem::path(SG_BAD_PLUGINS) / "plugins" / (name + ".so");
}

}  // namespace sg::test
