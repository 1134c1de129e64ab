// What a host's word is compared with.
#include "plugins/expected_calls.hpp"
#include "catch.hpp"
#include "host/events.hpp"

using namespace sg;
using plugins::Running;

namespace {

/// A page of events 1, 2, 3… and who wants them.
host::Run run_of(const std::vector<host::CallbackList>& lists) {
    std::vector<event::EventRow> rows(lists.size());
    const auto kept = std::make_shared<std::vector<host::CallbackList>>(lists);
    auto wanted = std::make_shared<host::WantedRows>(host::WantedRows{{}, kept});
    for (std::uint32_t i = 0; i < lists.size(); ++i) {
        rows[i].id = static_cast<EventId>(i) + 1;
        wanted->rows.push_back({i, &(*kept)[i]});
    }
    const auto page = std::make_shared<const event::EventPage>("", std::move(rows));
    return {page, wanted, wanted->rows, false};
}

host::Delivery single(EventId event, host::CallbackList callbacks) {
    return {test::make_event(event), std::move(callbacks)};
}

}  // namespace

TEST_CASE("calls of single events and of runs are expected in their order, and in no other") {
    plugins::ExpectedCalls calls;
    calls.add({{single(9, {4, 5})}, {run_of({{0}, {0, 2}, {1}})}});
    calls.add({{single(12, {0})}});
    CHECK(calls.size() == 7);
    for (const auto& call : {Running{9, 4}, Running{9, 5}, Running{1, 0}, Running{2, 0}, Running{2, 2},
                             Running{3, 1}, Running{12, 0}}) {
        CHECK(calls.front() == call);
        CHECK(calls.has(call));
        CHECK_FALSE(calls.take({call.event, 7}));
        CHECK_FALSE(calls.take({call.event + 1, call.callback}));
        CHECK(calls.take(call));
        CHECK_FALSE(calls.take(call));
    }
    CHECK(calls.empty());
    CHECK(calls.size() == 0);
    CHECK_FALSE(calls.front());
}

TEST_CASE("where calls overlap any of them may end, each once") {
    plugins::ExpectedCalls calls;
    calls.let_overlap();
    calls.add({{single(9, {4})}, {run_of({{0}, {0, 2}})}});
    CHECK(calls.size() == 4);
    CHECK(calls.take({2, 2}));
    CHECK_FALSE(calls.take({2, 2}));
    CHECK(calls.take({1, 0}));
    CHECK_FALSE(calls.has({1, 0}));
    CHECK(calls.take({9, 4}));
    CHECK(calls.take({2, 0}));
    CHECK(calls.empty());
    calls.add({{}, {run_of({{0}})}});
    calls.clear();
    CHECK(calls.empty());
    CHECK(calls.size() == 0);
}
