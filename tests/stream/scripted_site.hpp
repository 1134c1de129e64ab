#pragma once
// A site in memory: what is visible is what a test says, and it can fail or hang.

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "event_json.hpp"
#include "stream/event_reader.hpp"
#include "util/clock.hpp"

namespace sg::test {

/// Threads: every member from any thread.
class ScriptedSite final : public stream::EventReader {
public:
    explicit ScriptedSite(Clock& clock) : clock_(clock) {}

    void show(EventId id) { show(id, clock_.utc()); }
    void show(EventId id, std::chrono::system_clock::time_point created) {
        std::lock_guard lock(mutex_);
        rows_[id] = std::chrono::floor<std::chrono::seconds>(created);
    }
    void show(EventId first, EventId last) {
        for (EventId id = first; id <= last; ++id) show(id);
    }
    /// The next queries (of this kind, if one is given) fail.
    void fail_next(std::size_t count, Failure why) {
        std::lock_guard lock(mutex_);
        for (; count > 0; --count) failures_.push_back(why);
    }
    void fail_always(std::optional<Failure> why) {
        std::lock_guard lock(mutex_);
        always_ = std::move(why);
    }
    /// Answers are made but held back, for queries that `which` accepts, until `let_go`.
    void hold(std::function<bool(const stream::EventQuery&)> which) {
        std::lock_guard lock(mutex_);
        held_back_ = std::move(which);
    }
    void let_go() {
        std::lock_guard lock(mutex_);
        held_back_ = nullptr;
        holding_ = 0;  // here, not where they wake: who asks next must wait for them
        ++release_;
        released_.notify_all();
    }
    void set_clock_ahead(std::optional<std::chrono::seconds> by) {
        std::lock_guard lock(mutex_);
        ahead_ = by;
    }
    void set_most_rows(std::size_t most) {
        std::lock_guard lock(mutex_);
        most_rows_ = most;
    }
    std::vector<stream::EventQuery> queries() const {
        std::lock_guard lock(mutex_);
        return queries_;
    }
    std::size_t holding() const {
        std::lock_guard lock(mutex_);
        return holding_;
    }

    Result<stream::Fetched> fetch(const stream::EventQuery& query, std::stop_token stop) override {
        std::unique_lock lock(mutex_);
        queries_.push_back(query);
        if (always_) return tl::unexpected<Failure>(*always_);
        if (!failures_.empty()) {
            auto why = failures_.front();
            failures_.pop_front();
            return tl::unexpected<Failure>(std::move(why));
        }
        auto body = page_json(rows_for(query));
        if (held_back_ && held_back_(query)) {
            ++holding_;
            const auto mine = release_;
            if (!released_.wait(lock, stop, [&] { return release_ != mine; })) {
                --holding_;
                return fail(Cause::stopped, "stopped");
            }
        }
        stream::Fetched out{std::move(body), std::nullopt};
        if (ahead_) out.date = clock_.utc() + *ahead_;
        return out;
    }

private:
    nlohmann::json rows_for(const stream::EventQuery& query) const {
        auto rows = nlohmann::json::array();
        const auto limit = std::min(static_cast<std::size_t>(query.limit), most_rows_);
        const auto add = [&](const auto& row) {
            if (rows.size() < limit) rows.push_back(event_json(row.first, text_of(row.second)));
        };
        using Kind = stream::EventQuery::Kind;
        if (query.kind == Kind::newest && !rows_.empty()) add(*rows_.rbegin());
        if (query.kind == Kind::after)
            for (auto at = rows_.upper_bound(query.after); at != rows_.end(); ++at) add(*at);
        if (query.kind == Kind::within)
            for (const auto& range : query.ranges)
                for (auto at = rows_.lower_bound(range.first); at != rows_.end() && at->first <= range.last;
                     ++at)
                    add(*at);
        return rows;
    }
    static std::string text_of(std::chrono::sys_seconds time) {
        const auto day = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss clock(time - day);
        return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    }

    Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable_any released_;
    std::map<EventId, std::chrono::sys_seconds> rows_;
    std::deque<Failure> failures_;
    std::optional<Failure> always_;
    std::function<bool(const stream::EventQuery&)> held_back_;
    std::optional<std::chrono::seconds> ahead_{0};
    std::size_t most_rows_ = 500;
    std::size_t holding_ = 0;
    std::uint64_t release_ = 0;
    std::vector<stream::EventQuery> queries_;
};

}  // namespace sg::test
