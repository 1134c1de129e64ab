#include "host/link/codec.hpp"

#include <cstdlib>
#include <random>

#include "catch.hpp"
#include "host/events.hpp"

using namespace sg;
using namespace sg::host;

namespace {

Result<std::optional<Frame>> only_frame(const std::string& bytes, std::size_t limit = frame_limit_to_host) {
    FrameReader reader(limit);
    char* to = reader.room(bytes.size() + 1);
    bytes.copy(to, bytes.size());
    reader.took(bytes.size());
    return reader.next();
}

template <class Message>
Message there_and_back(const Message& message) {
    std::string bytes;
    REQUIRE(encode(message, bytes));
    auto frame = only_frame(bytes);
    REQUIRE((frame && *frame));
    if constexpr (std::is_same_v<Message, ToHost>)
        return decode_to_host(std::move(**frame)).value();
    else
        return decode_from_host(std::move(**frame)).value();
}

/// One message of every kind, with something in every member.
std::vector<FromHost> some_messages() {
    return {Hello{"api=1.0"},
            Registered{
                {{"one", EventFilter{}.on("A", {"b"}).on("C"), Credential::named("writer"), OnFailure::halt},
                 {"two",
                  {},
                  Credential::script("script", "key"),
                  OnFailure::retry,
                  7,
                  EventTraits::from_json({{"in_create", true}}),
                  EventTraits::from_json({{"own", true}}),
                  {"description", "entity.Shot.code"},
                  {std::chrono::milliseconds(200), MergeBy::project, std::chrono::milliseconds(300)}}},
                "\"none\"",
                LogLevel::debug},
            RegistrationFailed{Cause::busy, "why"},
            Outcomes{5,
                     {{7, 1, true, Cause::internal, "", std::chrono::microseconds(12)},
                      {8, 0, false, Cause::network, "no", std::chrono::microseconds(1)}}},
            host::Request{3, 2, 77, "uuid", "find", "{}", true},
            CancelRequest{3},
            LogLine{LogLevel::warning, "text", std::nullopt, 5},
            LogDropped{9},
            AskData{4, 1, 77, "uuid", "thumbnail", "{}"},
            StopData{4},
            ClearData{2}};
}

unsigned seed() {
    const char* given = std::getenv("SG_TEST_SEED");
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                            : std::random_device{}();
}

}  // namespace

TEST_CASE("events cross as they are, and share the bytes of their frame") {
    Deliver deliver;
    for (EventId id = 1; id <= 3; ++id)
        deliver.batch.push_back({test::make_event(id, "Shotgun_Task_Change", "sg_status_list"),
                                 {0, 4},
                                 static_cast<std::uint32_t>(id),
                                 id == 2});
    const auto back = std::get<Deliver>(there_and_back(ToHost(deliver)));
    REQUIRE(back.batch.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& sent = deliver.batch[i];
        const auto& came = back.batch[i];
        CHECK(came.event.page == back.batch[0].event.page);
        CHECK(came.event.id() == sent.event.id());
        CHECK(came.event.row().type == sent.event.row().type);
        CHECK(came.event.row().attribute == sent.event.row().attribute);
        CHECK(came.event.row().project == 7);
        CHECK(came.event.row().created_at == sent.event.row().created_at);
        CHECK(came.event.row().raw == sent.event.row().raw);
        CHECK(came.callbacks == sent.callbacks);
        CHECK(came.attempt == sent.attempt);
        CHECK(came.redelivered == sent.redelivered);
    }
}

TEST_CASE("what the daemon says to a host arrives whole") {
    Configure configure{"p", "/p.so", "{}", "https://s", LogLevel::debug, true, std::chrono::seconds(5), 9};
    const auto back = std::get<Configure>(there_and_back(ToHost(configure)));
    CHECK(back.plugin == "p");
    CHECK(back.library == "/p.so");
    CHECK(back.args == "{}");
    CHECK(back.site == "https://s");
    CHECK(back.level == LogLevel::debug);
    CHECK(back.dry_run);
    CHECK(back.hard_deadline == std::chrono::milliseconds(5000));
    CHECK(back.requests_at_once == 9);

    const auto answer = std::get<Answer>(there_and_back(ToHost(Answer{4, std::string("[1]")})));
    CHECK(answer.request == 4);
    CHECK(answer.result == std::string("[1]"));
    const auto fault = std::get<Answer>(
        there_and_back(ToHost(Answer{4, tl::unexpected<Failure>({Cause::permission, "no", 104, 0, {}})})));
    REQUIRE_FALSE(fault.result);
    CHECK(fault.result.error().cause == Cause::permission);
    CHECK(fault.result.error().site_code == 104);
    for (const auto total : {std::optional<std::uint64_t>(20), std::optional<std::uint64_t>()}) {
        const auto news = std::get<Progress>(there_and_back(ToHost(Progress{4, 10, total})));
        CHECK(news.request == 4);
        CHECK(news.done == 10);
        CHECK(news.total == total);
    }
    CHECK(std::get<StopCall>(there_and_back(ToHost(StopCall{8}))).sequence == 8);
    CHECK(std::get<SetLevel>(there_and_back(ToHost(SetLevel{LogLevel::error}))).level == LogLevel::error);
    CHECK(std::holds_alternative<Drain>(there_and_back(ToHost(Drain{}))));
    CHECK(std::holds_alternative<Stop>(there_and_back(ToHost(Stop{}))));
}

TEST_CASE("what a host says to the daemon arrives whole") {
    for (const auto& message : some_messages()) {
        const auto back = there_and_back(message);
        std::string before, after;
        REQUIRE(encode(message, before));
        REQUIRE(encode(back, after));
        CHECK(back.index() == message.index());
        CHECK(before == after);
    }
}

TEST_CASE("another version of the link is refused by name") {
    std::string bytes;
    REQUIRE(encode(FromHost(Hello{"x"}), bytes));
    bytes[4] = 99;
    const auto frame = only_frame(bytes);
    REQUIRE_FALSE(frame);
    CHECK(frame.error().message ==
          "the other side speaks version 99 of the link, this one " + std::to_string(link_version));
}

TEST_CASE("a message that claims a gigabyte is refused before any of it is taken in") {
    std::string header("\0\0\0\x40\0\0\x03\0", 8);
    header[4] = static_cast<char>(link_version);
    FrameReader reader(frame_limit_from_host);
    header.copy(reader.room(8), 8);
    reader.took(8);
    const auto frame = reader.next();
    REQUIRE_FALSE(frame);
    CHECK(frame.error().message.find("above the limit") != std::string::npos);
    CHECK(reader.room_size() < 1000);
}

TEST_CASE("a message above the limit is not sent") {
    std::string bytes = "before";
    host::Request request;
    request.arguments.resize(frame_limit_from_host + 1);
    CHECK_FALSE(encode(FromHost(request), bytes));
    CHECK(bytes == "before");
}

TEST_CASE("no bytes that a host sends do harm") {
    const auto started = seed();
    INFO("SG_TEST_SEED=" << started);
    std::mt19937 random(started);
    const auto pick = [&](std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
    };
    const auto messages = some_messages();
    std::size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes;
        REQUIRE(encode(messages[pick(messages.size())], bytes));
        const auto changes = 1 + pick(6);
        for (std::size_t i = 0; i < changes; ++i) bytes[pick(bytes.size())] = static_cast<char>(pick(256));
        if (pick(4) == 0) bytes.resize(pick(bytes.size()));
        auto frame = only_frame(bytes, frame_limit_from_host);
        if (!frame || !*frame) {
            ++refused;
            continue;
        }
        const auto copy = (*frame)->payload;
        if (!decode_from_host(std::move(**frame))) ++refused;
        // The host's half reads its own daemon only; it shall be no weaker.
        (void)decode_to_host(Frame{static_cast<std::uint16_t>(pick(9)), copy});
    }
    CHECK(refused > 1000);
}

TEST_CASE("an event that points outside the shared page is refused") {
    const std::string text = R"({"id":1,"event_type":"T"})";
    std::vector<event::EventRow> rows(1);
    std::string bytes = text;
    rows[0].id = 1;
    rows[0].type = "T";
    rows[0].raw = bytes;
    const auto page = std::make_shared<const event::EventPage>(std::move(bytes), std::move(rows));
    const std::vector<Delivery> events{{{page, 0}, {0}, 1, false}};
    std::string frame;
    REQUIRE(encode_events(events, page.get(), frame));
    const auto shared = [](std::string_view of) {
        auto made = SharedText::make(of);
        return MappedText::map(UniqueFd(::dup((*made)->fd())), of.size()).value();
    };
    const Frame sent{1, frame.substr(sizeof(FrameHeader))};
    const auto whole = decode_to_host(sent, shared(text));
    REQUIRE(whole);
    CHECK(std::get<Deliver>(*whole).batch.at(0).event.row().raw == text);
    CHECK(decode_to_host(sent, shared(text.substr(1))).error().cause == Cause::bad_answer);
    CHECK(decode_to_host(sent).error().cause == Cause::bad_answer);
}
