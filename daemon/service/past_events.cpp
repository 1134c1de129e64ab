#include "service/past_events.hpp"

#include <algorithm>

namespace sg::service {
namespace {

constexpr std::int64_t page_size = 500;
constexpr std::size_t ranges_per_query = 50;

Result<stream::ReadPage> fetch(stream::EventReader& reader, stream::PageReader& pages,
                               const stream::EventQuery& query) {
    auto fetched = reader.fetch(query, {});
    if (!fetched) return fail(fetched.error(), "fetching events");
    auto read = pages.read(std::move(fetched->body), query);
    if (!read) return fail(read.error(), "reading events");
    return read;
}

/// Whether there may be more behind this page. What the site repeats counts, what nobody asked for brings
/// nobody on.
bool is_full(const stream::ReadPage& read) {
    return read.facts.rows >= static_cast<std::size_t>(page_size) && !read.page->rows().empty();
}

auto shared(std::vector<std::string> fields) {
    return std::make_shared<const std::vector<std::string>>(std::move(fields));
}

}  // namespace

IdPages::IdPages(stream::EventReader& reader, std::vector<stream::IdRange> ids,
                 std::vector<std::string> fields)
    : reader_(reader), left_(std::move(ids)), fields_(shared(std::move(fields))) {}

Result<event::PagePtr> IdPages::next(std::vector<stream::IdRange>& covered) {
    covered.clear();
    if (left_.empty()) return event::PagePtr();
    stream::EventQuery query;
    query.kind = stream::EventQuery::Kind::within;
    const auto count = std::min(left_.size(), ranges_per_query);
    query.ranges.assign(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(count));
    query.limit = page_size;
    query.fields = fields_;
    auto read = fetch(reader_, pages_, query);
    if (!read) return tl::unexpected(read.error());
    take(is_full(*read) ? read->page->rows().back().id : query.ranges.back().last, covered);
    return std::move(read->page);
}

/// What is not above `through` has been answered.
void IdPages::take(EventId through, std::vector<stream::IdRange>& covered) {
    while (!left_.empty() && left_.front().first <= through) {
        auto& range = left_.front();
        covered.push_back({range.first, std::min(range.last, through)});
        if (range.last > through) {
            range.first = through + 1;
            break;
        }
        left_.erase(left_.begin());
    }
}

WindowPages::WindowPages(stream::EventReader& reader, const Window& window, std::vector<std::string> fields)
    : reader_(reader) {
    query_.kind = stream::EventQuery::Kind::window;
    query_.since = window.since;
    query_.until = window.until;
    query_.limit = page_size;
    query_.fields = shared(std::move(fields));
}

Result<event::PagePtr> WindowPages::next() {
    if (is_over_) return event::PagePtr();
    auto read = fetch(reader_, pages_, query_);
    if (!read) return tl::unexpected(read.error());
    is_over_ = !is_full(*read);
    if (!is_over_) query_.after = read->page->rows().back().id;
    return std::move(read->page);
}

}  // namespace sg::service
