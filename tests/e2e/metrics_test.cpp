// What a daemon's metrics say, held against the site's truth.

#include <cmath>
#include <cstdlib>
#include <regex>
#include <set>

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "e2e/scrape.hpp"

namespace metrics_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = std::chrono::seconds(60);

std::string of(const std::string& name, const std::string& plugin) {
    return "sgeventd_plugin_" + name + "{plugin=\"" + plugin + "\"}";
}

/// Scrapes one run of a daemon, and notes what a counter must not do.
class Watch {
public:
    explicit Watch(const Home& home) : home_(home) {}

    double value(const std::string& sample) {
        look();
        const auto found = last_.find(sample);
        return found == last_.end() ? std::nan("") : found->second;
    }
    bool wait_until(const std::string& sample, double expected) {
        return wait_for([&] { return value(sample) == expected; }, long_enough);
    }
    const Samples& last() const { return last_; }
    const std::set<std::string>& fallen() const { return fallen_; }  ///< counters that went down, or away

    /// Names and labels of all that is told of plugins.
    std::set<std::string> plugin_labels() const {
        std::set<std::string> out;
        for (const auto& [sample, unused] : last_)
            if (sample.starts_with("sgeventd_plugin_")) out.insert(sample);
        return out;
    }

private:
    void look() {
        auto seen = scrape(home_);
        if (seen.empty()) return;
        static const std::regex counter("[a-z_]*_(total|bucket|count|sum)(\\{.*)?");
        for (const auto& [sample, before] : last_) {
            if (!std::regex_match(sample, counter)) continue;
            const auto now = seen.find(sample);
            if (now == seen.end() || now->second < before) fallen_.insert(sample);
        }
        last_ = std::move(seen);
    }

    const Home& home_;
    Samples last_;
    std::set<std::string> fallen_;
};

/// Every name of a metric in the text, labels and functions left out.
std::set<std::string> names_in(const std::string& text) {
    static const std::regex name("sgeventd_[a-z_]+");
    std::set<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) out.insert(at->str());
    return out;
}

std::set<std::string> names_of(const Samples& samples) {
    std::set<std::string> out;
    for (const auto& [sample, unused] : samples) out.insert(sample.substr(0, sample.find('{')));
    return out;
}

bool is_told_to(const std::string& command) {
    return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): no other thread
}

}  // namespace

TEST_CASE(
    "C138 the metrics say what is true of the site, under load, in an outage, over reload and restart") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {recorder(), scripted("slow", {{"rules", {{{"do", "gate"}, {"file", "@DIR@/open"}}}}})});
    std::set<std::string> labels;
    double calls = 0;
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"recorder", "slow"}));
        Watch watch(home);
        CHECK(watch.wait_until("sgeventd_ready", 1));
        CHECK(watch.wait_until(of("lag_events", "slow"), 0));
        CHECK(watch.value(of("lag_seconds", "slow")) == 0);

        // Load. An hour ago, so that a lag in whole seconds is told from none.
        auto old = event(101);
        old.created_at = site.now() - 3600s;
        site.add_events(20, old);
        CHECK(watch.wait_until(of("lag_events", "slow"), 20));
        CHECK(watch.wait_until(of("lag_events", "recorder"), 0));
        CHECK(watch.value(of("lag_seconds", "recorder")) == 0);
        const auto is_true = [&] {
            const auto truth = [&] {
                return std::chrono::duration<double>(site.now() - *old.created_at).count();
            };
            // A poll, a look at the parts, and the second that either clock is cut to.
            const auto before = truth(), told = watch.value(of("lag_seconds", "slow")), after = truth();
            return told > before - 4 && told < after + 4;
        };
        CHECK(wait_for(is_true, long_enough));
        // It is the site's clock that counts, wherever ours stands.
        site.shift_clock(1000s);
        CHECK(wait_for(is_true, long_enough));
        CHECK(watch.wait_until(of("delivery_delay_seconds_count", "recorder"), 20));
        CHECK(watch.value("sgeventd_plugin_delivery_delay_seconds_bucket{plugin=\"recorder\",le=\"300\"}") ==
              0);
        CHECK(watch.value("sgeventd_plugin_delivery_delay_seconds_bucket{plugin=\"recorder\",le=\"+Inf\"}") ==
              20);
        CHECK(watch.value(of("callback_duration_seconds_count", "recorder")) == 20);

        // An outage: what is not known is not told, and the rest stays.
        site.refuse_connections();
        CHECK(watch.wait_until("sgeventd_stream_up", 0));
        CHECK(watch.wait_until("sgeventd_ready", 0));
        site.add_events(5, "Shotgun_Shot_Change");
        CHECK(watch.value(of("lag_events", "slow")) == 20);
        CHECK(watch.value("sgeventd_stream_highest_event_id") == 120);
        CHECK(watch.value("sgeventd_site_query_failures_total") > 0);
        site.accept_connections();
        CHECK(watch.wait_until(of("lag_events", "slow"), 25));
        CHECK(watch.wait_until("sgeventd_stream_up", 1));
        CHECK(watch.value("sgeventd_stream_highest_event_id") == static_cast<double>(site.newest_id()));

        // A reload.
        labels = watch.plugin_labels();
        CHECK(labels.size() > 40);
        daemon.signal(SIGHUP);
        CHECK(watch.wait_until(of("generation", "recorder"), 2));
        site.add_events(1, "Shotgun_Shot_Change");
        CHECK(watch.wait_until(of("callback_duration_seconds_count", "recorder"), 26));
        CHECK(watch.plugin_labels() == labels);

        std::ofstream(home.path() / "open") << "";
        CHECK(watch.wait_until(of("lag_events", "slow"), 0));
        CHECK(watch.value(of("lag_seconds", "slow")) == 0);
        CHECK(watch.wait_until(of("callback_duration_seconds_count", "slow"), 26));
        // It stood in its callback while the site was away: longer than a look, at the least.
        CHECK(watch.value(of("callback_duration_seconds_sum", "slow")) >
              watch.value(of("callback_duration_seconds_sum", "recorder")));
        CHECK(watch.fallen() == std::set<std::string>());
        calls = watch.value("sgeventd_plugin_calls_total{plugin=\"recorder\",outcome=\"succeeded\"}");
        CHECK(calls == 26);
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    // A restart counts anew, from where it was.
    site.add_events(3, "Shotgun_Shot_Change");
    Daemon daemon(home);
    INFO(daemon.log());
    Watch watch(home);
    CHECK(watch.wait_until("sgeventd_plugin_calls_total{plugin=\"recorder\",outcome=\"succeeded\"}", 3));
    CHECK(watch.wait_until(of("lag_events", "recorder"), 0));
    CHECK(watch.wait_until(of("lag_events", "slow"), 0));
    CHECK(watch.plugin_labels() == labels);
    CHECK(watch.fallen() == std::set<std::string>());
}

TEST_CASE("the dashboard and the alert rules name metrics that a daemon has, and promtool finds no fault") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {recorder()},
              {{"alerts", {{"command", nlohmann::json::array({"/bin/true"})}}},
               {"webhook", {{"address", "127.0.0.1:0"}, {"token", "t"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    REQUIRE(wait_for([&] { return scrape(home).contains("sgeventd_site_clock_skew_seconds"); }, long_enough));
    const auto text = get_by_socket(home, "/metrics");
    const auto there = names_of(samples_of(text));
    const std::filesystem::path packaging(SG_PACKAGING);
    const auto rules = packaging / "prometheus/sgeventd.rules.yml",
               dashboard = packaging / "grafana/sgeventd.json";
    for (const auto& file : {rules, dashboard}) {
        const auto named = names_in(read_file(file));
        CHECK(named.size() > 8);
        for (const auto& name : named) {
            INFO(file << " names " << name);
            CHECK(there.contains(name));
        }
    }
    const auto board = nlohmann::json::parse(read_file(dashboard));
    CHECK(board.at("panels").size() > 10);
    std::set<int> ids;
    for (const auto& panel : board.at("panels")) {
        CHECK(ids.insert(panel.at("id").get<int>()).second);
        CHECK_FALSE(panel.at("targets").empty());
    }

    const std::string promtool = SG_PROMTOOL;
    const auto scraped = home.path() / "scraped", said = home.path() / "promtool.said";
    std::ofstream(scraped) << text;
    // Each query of the dashboard as a rule, so that it is parsed.
    const auto queries = home.path() / "queries.yml";
    {
        auto all = nlohmann::json::array();
        for (const auto& panel : board.at("panels"))
            for (const auto& target : panel.at("targets"))
                all.push_back(
                    {{"record", "query_" + std::to_string(all.size())}, {"expr", target.at("expr")}});
        std::ofstream(queries) << nlohmann::json{{"groups", {{{"name", "dashboard"}, {"rules", all}}}}};
    }
    for (const auto& arguments : {"check rules " + rules.string(), "check rules " + queries.string(),
                                  "check metrics < " + scraped.string()}) {
        const auto worked = is_told_to(promtool + " " + arguments + " > " + said.string() + " 2>&1");
        INFO(arguments << ": " << read_file(said));
        CHECK(worked);
    }
    CHECK_FALSE(is_told_to("echo 'groups: 7' | " + promtool + " check rules /dev/stdin > " + said.string() +
                           " 2>&1"));
}

}  // namespace metrics_test
