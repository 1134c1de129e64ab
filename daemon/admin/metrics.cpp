#include "admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <limits>
#include <utility>

namespace sg::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

double seconds(UtcTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

/// Gathers families in the order in which they are shown.
class Page {
public:
    void gauge(const std::string& name, const std::string& help, double value, Labels labels = {}) {
        add(MetricType::Gauge, name, help, value, std::move(labels));
    }
    void counter(const std::string& name, const std::string& help, double value, Labels labels = {}) {
        add(MetricType::Counter, name, help, value, std::move(labels));
    }
    void histogram(const std::string& name, const std::string& help, const Histogram& from, Labels labels) {
        auto& metric = next(MetricType::Histogram, name, help, std::move(labels));
        auto& to = metric.histogram;
        for (std::size_t i = 0; i < from.buckets.size(); ++i) {
            to.sample_count += from.buckets[i];
            to.bucket.push_back({to.sample_count, i < Histogram::bounds.size()
                                                      ? Histogram::bounds[i]
                                                      : std::numeric_limits<double>::infinity()});
        }
        to.sample_sum = from.sum;
    }
    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

private:
    void add(MetricType type, const std::string& name, const std::string& help, double value, Labels labels) {
        auto& metric = next(type, name, help, std::move(labels));
        if (type == MetricType::Counter)
            metric.counter.value = value;
        else
            metric.gauge.value = value;
    }

    ClientMetric& next(MetricType type, const std::string& name, const std::string& help, Labels labels) {
        if (families_.empty() || families_.back().name != name) {
            families_.emplace_back();
            families_.back().name = name;
            families_.back().help = help;
            families_.back().type = type;
        }
        auto& metric = families_.back().metric.emplace_back();
        metric.label = std::move(labels);
        return metric;
    }

    std::vector<MetricFamily> families_;
};

void add_stream(Page& page, const StreamView& stream) {
    page.gauge("sgeventd_stream_up", "1 while the site answers, else 0",
               stream.in_trouble || stream.state == "waiting" ? 0 : 1);
    page.gauge("sgeventd_stream_highest_event_id", "Highest event id seen on the site",
               static_cast<double>(stream.highest));
    page.gauge("sgeventd_stream_open_gaps", "Ranges of missing event ids that are waited for",
               static_cast<double>(stream.open_gaps));
    if (stream.last_answer)
        page.gauge("sgeventd_stream_last_answer_timestamp_seconds", "When the site last answered",
                   seconds(*stream.last_answer));
    if (stream.skew)
        page.gauge("sgeventd_site_clock_skew_seconds", "The site's clock minus ours",
                   std::chrono::duration<double>(*stream.skew).count());
    page.counter("sgeventd_stream_events_total", "Events read from the site",
                 static_cast<double>(stream.events));
    page.counter("sgeventd_stream_late_events_total", "Events that turned up inside gaps",
                 static_cast<double>(stream.late));
    page.counter("sgeventd_stream_gaps_closed_total", "Gaps that were given up",
                 static_cast<double>(stream.gaps_closed));
    page.gauge("sgeventd_stream_watched_gaps",
               "Ranges of missing event ids that were given up and are looked for",
               static_cast<double>(stream.watched));
    page.counter("sgeventd_stream_given_up_events_total",
                 "Events that turned up after their gap was given up", static_cast<double>(stream.very_late));
    page.counter("sgeventd_site_queries_total", "Queries for events", static_cast<double>(stream.polls),
                 {{"kind", "poll"}});
    page.counter("sgeventd_site_queries_total", "", static_cast<double>(stream.lane_queries),
                 {{"kind", "catch_up"}});
    page.counter("sgeventd_site_queries_total", "", static_cast<double>(stream.gap_queries),
                 {{"kind", "gap"}});
    page.counter("sgeventd_site_query_failures_total", "Queries for events without a usable answer",
                 static_cast<double>(stream.failures));
}

void add_plugins(Page& page, const std::vector<PluginView>& plugins) {
    // One family after another: a family's samples stand together.
    const auto gauge = [&](const char* name, const char* help, auto value) {
        for (const auto& plugin : plugins)
            page.gauge(name, help, static_cast<double>(value(plugin)), {{"plugin", plugin.plugin}});
    };
    gauge("sgeventd_plugin_up", "1 while a build of the plugin serves, 0 while none does",
          [](const auto& p) { return p.health == Health::bad ? 0 : 1; });
    gauge("sgeventd_plugin_generation", "Number of the build that serves, counted from the daemon's start",
          [](const auto& p) { return p.generation; });
    gauge("sgeventd_plugin_position_event_id", "Highest event id that the plugin has come to",
          [](const auto& p) { return p.position; });
    gauge("sgeventd_plugin_cursor_event_id", "Event id up to which everything is settled, owed or awaited",
          [](const auto& p) { return p.cursor; });
    gauge("sgeventd_plugin_behind_events", "Event ids between the plugin's position and the highest one seen",
          [](const auto& p) { return p.behind; });
    gauge("sgeventd_plugin_lag_events", "Event ids between the last one settled and the highest one seen",
          [](const auto& p) { return p.lag_events; });
    gauge("sgeventd_plugin_lag_seconds", "Age of the oldest event that is not settled, 0 if there is none",
          [](const auto& p) { return std::chrono::duration<double>(p.lag).count(); });
    gauge("sgeventd_plugin_queued_events", "Events that wait in the plugin's lane",
          [](const auto& p) { return p.queued; });
    gauge("sgeventd_plugin_outstanding_events", "Events handed to the plugin and without an outcome",
          [](const auto& p) { return p.outstanding; });
    gauge("sgeventd_plugin_pending_calls", "Calls that failed and are owed",
          [](const auto& p) { return p.pending; });
    gauge("sgeventd_plugin_dead_letters", "Events that were given up and kept",
          [](const auto& p) { return p.dead_letters; });
    for (const auto& plugin : plugins)
        page.counter("sgeventd_plugin_skipped_total", "Events that a callback failed on and let go",
                     static_cast<double>(plugin.skipped), {{"plugin", plugin.plugin}});
    for (const auto& plugin : plugins) {
        page.counter("sgeventd_plugin_calls_total", "Calls of callbacks that ended",
                     static_cast<double>(plugin.succeeded),
                     {{"plugin", plugin.plugin}, {"outcome", "succeeded"}});
        page.counter("sgeventd_plugin_calls_total", "", static_cast<double>(plugin.failed),
                     {{"plugin", plugin.plugin}, {"outcome", "failed"}});
    }
    for (const auto& plugin : plugins)
        page.histogram("sgeventd_plugin_callback_duration_seconds",
                       "Time from the entry of a callback to its outcome", plugin.call_times,
                       {{"plugin", plugin.plugin}});
    for (const auto& plugin : plugins)
        page.histogram("sgeventd_plugin_delivery_delay_seconds",
                       "Time from an event's created_at to its callback being entered, first attempts only",
                       plugin.delays, {{"plugin", plugin.plugin}});
}

void add_alerts(Page& page, const std::vector<AlertView>& channels) {
    const auto counter = [&](const char* name, const char* help, auto value) {
        for (const auto& channel : channels)
            page.counter(name, help, static_cast<double>(value(channel)), {{"channel", channel.channel}});
    };
    counter("sgeventd_alert_messages_total", "Messages that were taken by the other side",
            [](const auto& c) { return c.messages; });
    counter("sgeventd_alert_failures_total", "Attempts to send a message that failed",
            [](const auto& c) { return c.failures; });
    counter("sgeventd_alerts_sent_total", "Alerts in messages that were sent, those only counted included",
            [](const auto& c) { return c.sent; });
    counter("sgeventd_alerts_held_back_total", "Alerts in messages that were sent, and only counted there",
            [](const auto& c) { return c.held_back; });
    counter("sgeventd_alerts_lost_total", "Alerts that could not be sent and were given up",
            [](const auto& c) { return c.lost; });
    for (const auto& channel : channels)
        page.gauge("sgeventd_alerts_waiting", "Alerts that are not sent yet",
                   static_cast<double>(channel.waiting), {{"channel", channel.channel}});
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot) {
    Page page;
    page.gauge("sgeventd_build_info", "1, labelled with the version", 1,
               {{"version", snapshot.daemon.version}});
    page.gauge("sgeventd_start_timestamp_seconds", "When the daemon started",
               seconds(snapshot.daemon.started));
    page.gauge("sgeventd_ready", "1 while the site answers and every plugin is loaded",
               readiness(snapshot).ready ? 1 : 0);
    page.counter("sgeventd_state_commits_total", "Commits of the state file, each of a group of changes",
                 static_cast<double>(snapshot.daemon.commits));
    page.counter("sgeventd_wrong_tokens_total",
                 "Requests to the status page with a token that was not its own",
                 static_cast<double>(snapshot.daemon.wrong_tokens));
    add_stream(page, snapshot.stream);
    add_plugins(page, snapshot.plugins);
    add_alerts(page, snapshot.alerts);
    if (snapshot.webhook)
        for (std::size_t i = 0; i < delivery_kinds; ++i)
            page.counter("sgeventd_webhook_deliveries_total", "Deliveries of the site's webhook that came in",
                         static_cast<double>(snapshot.webhook->deliveries[i]),
                         {{"outcome", std::string(to_string(static_cast<Delivery>(i)))}});
    return page.text();
}

}  // namespace sg::admin
