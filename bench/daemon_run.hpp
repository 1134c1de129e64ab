#pragma once
// The daemon's own binary over a site, with plugins in a folder of its own.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/processes.hpp"
#include "tests/temp_dir.hpp"

namespace sg::bench {

struct BenchPlugin {
    std::string name, file;
    std::string settings{};  ///< of its section, as YAML in one line: `args: {file: /tmp/x}`
};

/// Runs from here until `stop`, or the end of the object. Everything that goes wrong throws.
class DaemonRun {
public:
    struct Setup {
        std::string site;       ///< its URL
        std::string of_site{};  ///< further keys of that section, as YAML in one line
        std::string isolation = "process";
        std::string start = "earliest";
        std::string script = "bench", key = "bench";
        std::vector<BenchPlugin> plugins{};
    };
    explicit DaemonRun(const Setup& setup);
    ~DaemonRun();
    DaemonRun(const DaemonRun&) = delete;
    DaemonRun& operator=(const DaemonRun&) = delete;

    int pid() const noexcept { return pid_; }
    std::string path(const std::string& name) const { return (dir_ / name).string(); }

    /// How many plugins have everything up to `id` behind them, on disk; of all, or the one named.
    int arrived(std::int64_t id, const std::string& plugin = {}) const;

    /// Until `plugins` of them have. It measures time, so it may look often.
    void wait_for(std::int64_t id, int plugins, const std::string& plugin = {},
                  std::chrono::seconds at_most = std::chrono::minutes(3)) const;

    /// A figure of its metrics, with its labels if it has any. Waits first, for they are as old as a second.
    std::int64_t metric(const std::string& name) const;

    void stop();

private:
    test::TempDir dir_;
    int pid_ = 0;
};

}  // namespace sg::bench
