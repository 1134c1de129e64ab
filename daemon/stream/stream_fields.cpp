// Further fields of the events.

#include <fmt/ranges.h>
#include <algorithm>

#include "stream/stream_impl.hpp"

namespace sg::stream {

/// All queries go out here: an answer without fields that are wanted by the time it comes is asked for again.
void Stream::Impl::ask(Fetcher::For whom, EventQuery query, std::function<void(Result<Answer>)> done,
                       std::stop_token cancel) {
    query.fields = fields_;
    auto answered = [this, whom, query, done = std::move(done), cancel](Result<Answer> answer) {
        if (!answer && answer.error().cause == Cause::bad_request && query.fields && query.fields == fields_)
            do_without_fields(answer.error());
        if (query.fields != fields_ && !cancel.stop_requested()) return ask(whom, query, done, cancel);
        done(std::move(answer));
    };
    fetcher_->submit(whom, std::move(query), std::move(answered), std::move(cancel));
}

void Stream::Impl::want_fields(const std::vector<std::string>& fields) {
    std::vector<std::string> all;
    if (fields_) all = *fields_;
    for (const auto& field : fields)
        if (std::find(all.begin(), all.end(), field) == all.end()) all.push_back(field);
    if (all.size() == (fields_ ? fields_->size() : 0)) return;
    fields_ = std::make_shared<const std::vector<std::string>>(std::move(all));
    live_pages_.clear();
    lane_pages_.clear();
    if (!ahead_.empty()) {
        drop_ahead();
        schedule_poll(clock_.now());
    }
    log_.debug("[FIELDS] Events are fetched with further fields. fields={}", fmt::join(*fields_, ","));
}

/// A site passes over fields that it does not have. One that refuses them must not stop everybody's events.
void Stream::Impl::do_without_fields(const Failure& why) {
    log_.error(
        "[FIELDS-REFUSED] The site refuses the further fields that plugins want; events come without them. "
        "fields={} why={}",
        fmt::join(*fields_, ","), why.message);
    fields_.reset();
}

}  // namespace sg::stream
