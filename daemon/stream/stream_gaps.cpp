// Missing ids: found, asked for, delivered late, given up.

#include <algorithm>
#include <limits>

#include "stream/stream_impl.hpp"

namespace sg::stream {
namespace {

std::uint64_t count_of(const IdRange& ids) { return static_cast<std::uint64_t>(ids.last - ids.first) + 1; }

}  // namespace

event::PagePtr copy_rows(const std::vector<const event::EventRow*>& rows) {
    std::size_t size = 1;
    for (const auto* row : rows) size += row->raw.size() + row->type.size() + row->attribute.size();
    auto side = std::make_unique<char[]>(size);
    char* at = side.get();
    const auto keep = [&at](std::string_view text) {
        text.copy(at, text.size());
        const std::string_view kept(at, text.size());
        at += text.size();
        return kept;
    };
    std::vector<event::EventRow> copies;
    copies.reserve(rows.size());
    for (const auto* row : rows) {
        auto& copy = copies.emplace_back(*row);
        copy.raw = keep(row->raw);
        copy.type = keep(row->type);
        copy.attribute = keep(row->attribute);
    }
    return std::make_shared<const event::EventPage>(std::string(), std::move(copies), std::move(side));
}

/// An answer is trusted up to its last row, as everywhere; without rows it speaks for all that was asked for.
EventId through_of(const std::vector<IdRange>& asked_for, const event::EventPage& page) {
    const auto rows = page.rows();
    return rows.empty() ? asked_for.back().last : rows.back().id;
}

std::vector<IdRange> covered_by(const std::vector<IdRange>& asked_for, EventId through) {
    std::vector<IdRange> out;
    for (const auto& range : asked_for)
        if (range.first <= through) out.push_back({range.first, std::min(range.last, through)});
    return out;
}

/// Of holes in a page, what is not open yet; old ones would have been filled by now.
Stream::Impl::Holes Stream::Impl::sort_out(const std::vector<Hole>& holes) const {
    Holes out;
    const auto oldest = site_.now() - settings_.gap_timeout;
    for (const auto& hole : holes) {
        const bool young = hole.next_created == std::chrono::sys_seconds{} || hole.next_created > oldest;
        for (const auto& part : gaps_.unknown_in(hole.ids))
            for (const auto& news : tail_.unknown_in(part))
                (young ? out.young : out.old).push_back({news, hole.next_created});
    }
    return out;
}

bool Stream::Impl::room_for(const Holes& holes) {
    const bool room = holes.young.empty() || gaps_.size() < settings_.most_gaps;
    if (room == !held_ || (room && holes.young.empty())) return room;
    held_ = !room;
    if (held_)
        log_.warning(
            "[GAPS-MANY] Too many ids are missing; newer events wait until some came or were given up. "
            "open_gaps={}",
            gaps_.size());
    else
        log_.info("[GAPS-FEWER] Newer events are taken again. open_gaps={}", gaps_.size());
    return room;
}

void Stream::Impl::open_gaps(const Holes& holes, checkpoint::Batch& batch) {
    if (holes.young.empty()) return;
    const auto deadline = site_.now() + settings_.gap_timeout;
    const auto due = clock_.now() + settings_.gap_timeout;
    std::uint64_t missing = 0;
    for (const auto& hole : holes.young) {
        gaps_.open(hole.ids, deadline, due, batch);
        missing += count_of(hole.ids);
    }
    log_.info("[GAP-OPENED] Ids are missing; waiting for them. gaps={} missing={} first={} last={} wait_s={}",
              holes.young.size(), missing, holes.young.front().ids.first, holes.young.back().ids.last,
              settings_.gap_timeout.count() / 1000);
    arm_gap_timer();
}

void Stream::Impl::pass_over(const std::vector<Hole>& holes, checkpoint::Batch& batch) {
    watch(holes, batch);
    // A log with many holes would fill a page of ours per page of the site's: the rest is counted.
    constexpr std::size_t most_lines = 10;
    std::uint64_t rest = 0;
    for (std::size_t i = 0; i < holes.size(); ++i) {
        const auto& ids = holes[i].ids;
        if (i < most_lines)
            log_.info(
                "[GAP-OLD] Ids are missing for longer than is waited for; passed over. first={} last={} "
                "missing={}",
                ids.first, ids.last, count_of(ids));
        else
            rest += count_of(ids);
    }
    if (rest != 0)
        log_.info("[GAP-OLD-MORE] More such ids in the same page. gaps={} missing={}",
                  holes.size() - most_lines, rest);
}

/// Every page passes here first, whoever asked for it.
void Stream::Impl::find_late(const event::PagePtr& page) {
    take_late(page, gaps_, event::Late::awaited);
    take_late(page, tail_, event::Late::given_up);
}

void Stream::Impl::take_late(const event::PagePtr& page, GapTracker& from, event::Late how) {
    if (from.size() == 0) return;
    checkpoint::Batch batch;
    std::vector<const event::EventRow*> late;
    for (const auto& row : page->rows())
        if (from.take(row.id, batch)) late.push_back(&row);
    if (late.empty()) return;
    // Before the sink hears of them: whatever it is handed from now on must hold them.
    for (const auto* row : late) {
        live_pages_.forget(row->id);
        lane_pages_.forget(row->id);
        for (auto& [position, wish] : wishes_)
            if (wish.in_flight && position < row->id) wish.late.push_back(row->id);
    }
    if (how == event::Late::awaited) {
        counters_.late += late.size();
        log_.info("[GAP-FILLED] Missing events have appeared. rows={} first={} last={} open_gaps={}",
                  late.size(), late.front()->id, late.back()->id, gaps_.size());
    } else {
        counters_.very_late += late.size();
        log_.warning(
            "[GAP-FILLED-LATE] Events have appeared whose ids had been given up; delivered now. rows={} "
            "first={} "
            "last={}",
            late.size(), late.front()->id, late.back()->id);
    }
    sink_.on_late(late.size() == page->rows().size() ? page : copy_rows(late), batch, how);
    store_.apply(std::move(batch), checkpoint::Urgency::settled);
}

void Stream::Impl::arm_gap_timer() {
    if (stopped_ || !begun_ || asking_ || gap_timer_ || gaps_.size() == 0) return;
    const auto when = std::max({clock_.now() + settings_.gap_interval, quiet_until_, gap_trouble_.until});
    gap_timer_ = loop_.at(when, [this] {
        gap_timer_.reset();
        round_left_ = settings_.gap_queries;
        ask_for_gaps();
    });
}

void Stream::Impl::ask_for_gaps() {
    auto ranges = gaps_.some(next_gap_, settings_.ranges_per_query);
    if (ranges.empty() && next_gap_ != 0) {
        next_gap_ = 0;
        // Nothing was asked in this round yet: begin again from below.
        if (round_left_ == settings_.gap_queries) ranges = gaps_.some(0, settings_.ranges_per_query);
    }
    if (ranges.empty() || round_left_ == 0 || outage_.is_out() || clock_.now() < quiet_until_)
        return arm_gap_timer();
    --round_left_;
    asking_ = true;
    ++counters_.gap_queries;
    EventQuery query;
    query.kind = EventQuery::Kind::within;
    query.ranges = ranges;
    query.limit = settings_.page_size;
    ask(Fetcher::For::gaps, std::move(query),
        [this, ranges = std::move(ranges), asked = clock_.now()](Result<Answer> answer) {
            asking_ = false;
            on_gap_answer(ranges, asked, std::move(answer));
        });
}

void Stream::Impl::on_gap_answer(const std::vector<IdRange>& asked_for, Clock::Time asked,
                                 Result<Answer> answer) {
    if (answer && answer->page->rows().empty() && answer->facts.rows != 0)
        answer = fail(Cause::bad_answer, "a query for missing ids was answered with others");
    if (!answer) {
        note_failure(answer.error());
        gap_trouble_.failed(answer.error(), clock_.now(), log_);
        return arm_gap_timer();
    }
    gap_trouble_.succeeded(log_);
    note(*answer);
    find_late(answer->page);
    const auto through = through_of(asked_for, *answer->page);
    close_gaps(covered_by(asked_for, through), asked);
    next_gap_ = through + 1;
    ask_for_gaps();
}

std::optional<EventId> Stream::Impl::awaited(EventId position) const {
    const auto first = gaps_.some(position + 1, 1);
    if (first.empty()) return std::nullopt;
    return std::max(first.front().first, position + 1);
}

void Stream::Impl::close_gaps(const std::vector<IdRange>& covered, Clock::Time asked) {
    checkpoint::Batch batch;
    const auto closed = gaps_.close(covered, asked, batch);
    if (closed.empty()) return;
    for (const auto& gap : closed) {
        for (const auto& part : gap.parts) watch(part, site_.now(), batch);
        log_.warning(
            "[GAP-CLOSED] Ids never appeared; no longer waited for. first={} last={} missing={} waited_s={}",
            gap.first, gap.last, gap.missing, settings_.gap_timeout.count() / 1000);
    }
    counters_.gaps_closed += closed.size();
    store_.apply(std::move(batch), checkpoint::Urgency::settled);
    loop_.post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired() && !stopped_) sink_.on_given_up();
    });
}

}  // namespace sg::stream
