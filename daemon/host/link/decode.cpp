// Bytes to messages; a host's are not trusted.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "host/link/codec.hpp"
#include "host/link/wire.hpp"

namespace sg::host {

using namespace wire;

namespace {

/// Reads with every length checked; after the first mistake everything reads as zero.
class Reader {
public:
    explicit Reader(std::string_view in) : in_(in) {}

    template <class T>
    T number() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        const auto from = take(sizeof value);
        if (from.size() == sizeof value) std::memcpy(&value, from.data(), sizeof value);
        return value;
    }
    bool flag() { return number<std::uint8_t>() != 0; }
    std::string_view view(std::size_t size) { return take(size); }
    std::string text() {
        const auto size = number<std::uint32_t>();
        return std::string(take(size));
    }
    /// A count of things that take at least `least` bytes each: never more than can be there.
    std::size_t count(std::size_t least) {
        const auto value = number<std::uint32_t>();
        if (value > in_.size() / least) ok_ = false;
        return ok_ ? value : 0;
    }
    template <class E>
    E choice(E last) {
        const auto value = number<std::uint8_t>();
        if (value > static_cast<std::uint8_t>(last)) ok_ = false;
        return ok_ ? static_cast<E>(value) : last;
    }
    void spoil() noexcept { ok_ = false; }
    bool ok() const noexcept { return ok_; }
    bool is_whole() const noexcept { return ok_ && in_.empty(); }

private:
    std::string_view take(std::size_t size) {
        if (!ok_ || size > in_.size()) {
            ok_ = false;
            return {};
        }
        const auto taken = in_.substr(0, size);
        in_.remove_prefix(size);
        return taken;
    }
    std::string_view in_;
    bool ok_ = true;
};

std::optional<std::uint16_t> read_callback(Reader& in) {
    const auto value = in.number<std::uint16_t>();
    if (value == no_callback) return std::nullopt;
    return value;
}

Configure read_configure(Reader& in) {
    Configure message;
    message.plugin = in.text();
    message.library = in.text();
    message.args = in.text();
    message.site = in.text();
    message.level = in.choice(LogLevel::error);
    message.dry_run = in.flag();
    if (const auto ms = in.number<std::int64_t>(); ms >= 0)
        message.hard_deadline = std::chrono::milliseconds(ms);
    message.requests_at_once = in.number<std::uint32_t>();
    return message;
}

/// An `Answer` or a `DataAnswer`.
template <class Message>
Message read_answer(Reader& in) {
    Message message;
    message.request = in.number<std::uint64_t>();
    if (in.flag()) {
        message.result = in.text();
    } else {
        Failure failure;
        failure.cause = in.choice(Cause::internal);
        failure.message = in.text();
        failure.site_code = in.number<std::int32_t>();
        message.result = tl::unexpected<Failure>(std::move(failure));
    }
    return message;
}

/// The text of an event, of the frame or of the page that was shared.
std::string_view raw_of(const DeliveryHeader& header, Reader& in, std::string_view shared) {
    if (header.offset < 0) return in.view(header.raw_size);
    const auto offset = static_cast<std::size_t>(header.offset);
    if (offset > shared.size() || header.raw_size > shared.size() - offset) {
        in.spoil();
        return {};
    }
    return shared.substr(offset, header.raw_size);
}

/// The frame's bytes become the page of its events: nothing is copied. The rows of such a page
/// stand in the order of delivery.
Result<ToHost> read_deliver(std::string payload, const std::shared_ptr<const MappedText>& shared) {
    Reader in(payload);
    const auto count = in.count(sizeof(DeliveryHeader));
    Deliver message;
    message.batch.reserve(count);
    std::vector<event::EventRow> rows;
    rows.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const auto header = in.number<DeliveryHeader>();
        Delivery& delivery = message.batch.emplace_back();
        delivery.attempt = header.attempt;
        delivery.redelivered = header.redelivered != 0;
        const auto callbacks = in.view(header.callbacks * sizeof(std::uint16_t));
        delivery.callbacks.resize(callbacks.size() / sizeof(std::uint16_t));
        if (!callbacks.empty()) std::memcpy(delivery.callbacks.data(), callbacks.data(), callbacks.size());
        const auto merged = in.view(std::size_t{header.merged} * sizeof(EventId));
        delivery.merged.resize(merged.size() / sizeof(EventId));
        if (!merged.empty()) std::memcpy(delivery.merged.data(), merged.data(), merged.size());
        event::EventRow row;
        row.id = header.id;
        row.project = header.project;
        row.created_at = std::chrono::sys_seconds(std::chrono::seconds(header.created_at));
        row.type = in.view(header.type_size);
        row.attribute = in.view(header.attribute_size);
        row.raw = raw_of(header, in, shared ? shared->text() : std::string_view());
        rows.push_back(row);
    }
    if (!in.is_whole()) return fail(Cause::bad_answer, "events that are not well formed");
    if (count == 0) return ToHost(std::move(message));
    const auto page =
        std::make_shared<const event::EventPage>(std::move(payload), std::move(rows), nullptr, shared);
    for (std::size_t i = 0; i < count; ++i) message.batch[i].event = {page, static_cast<std::uint32_t>(i)};
    return ToHost(std::move(message));
}

/// Throws what the values throw that are read from JSON.
RegisteredCallback read_callback_info(Reader& in) {
    RegisteredCallback callback;
    callback.name = in.text();
    callback.filter = EventFilter::from_json(nlohmann::json::parse(in.text(), nullptr, false));
    callback.credential.name = in.text();
    callback.credential.script_name = in.text();
    callback.credential.script_key = in.text();
    callback.on_failure = in.choice(OnFailure::halt);
    callback.concurrency = std::clamp(in.number<std::int32_t>(), 1, most_at_once);
    const auto more = nlohmann::json::parse(in.text(), nullptr, false);
    if (!more.is_array() || more.size() != 3 || !more[2].is_array())
        throw Error(Cause::invalid, "not what a host says");
    callback.only = EventTraits::from_json(more[0]);
    callback.never = EventTraits::from_json(more[1]);
    for (const auto& field : more[2])
        if (field.is_string()) callback.fields.push_back(field.get<std::string>());
    const auto time = [&in] {
        return std::clamp(std::chrono::milliseconds(in.number<std::int64_t>()), std::chrono::milliseconds(0),
                          longest_gathering);
    };
    callback.gathering.coalesce = time();
    callback.gathering.by = in.choice(MergeBy::nothing);
    callback.gathering.settle = time();
    return callback;
}

Result<FromHost> read_registered(Reader& in) {
    Registered message;
    message.alerts = in.text();
    const bool chose_level = in.flag();
    if (const auto level = in.choice(LogLevel::error); chose_level) message.log_level = level;
    const auto count = in.count(5 * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        try {
            message.callbacks.push_back(read_callback_info(in));
        } catch (const Error& error) {
            return fail(Cause::bad_answer, "a callback that is not well formed: {}", error.what());
        }
    }
    return FromHost(std::move(message));
}

Outcomes read_outcomes(Reader& in) {
    Outcomes message;
    message.first = in.number<std::uint64_t>();
    const auto count = in.count(sizeof(OutcomeHeader));
    message.list.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const auto header = in.number<OutcomeHeader>();
        if (header.cause > static_cast<std::uint8_t>(Cause::internal)) in.spoil();
        Outcome& outcome = message.list.emplace_back();
        outcome.event = header.event;
        outcome.callback = header.callback;
        outcome.ok = header.ok != 0;
        outcome.cause = static_cast<Cause>(header.cause);
        if (header.error_size != 0) outcome.error = in.view(header.error_size);
        outcome.duration = std::chrono::microseconds(header.duration_us);
    }
    return message;
}

Request read_request(Reader& in) {
    Request message;
    message.id = in.number<std::uint64_t>();
    message.callback = read_callback(in);
    message.event = in.number<EventId>();
    message.session_uuid = in.text();
    message.method = in.text();
    message.arguments = in.text();
    message.progress = in.flag();
    return message;
}

AskData read_ask_data(Reader& in) {
    AskData message;
    message.id = in.number<std::uint64_t>();
    message.callback = read_callback(in);
    message.event = in.number<EventId>();
    message.session_uuid = in.text();
    message.what = in.text();
    message.arguments = in.text();
    return message;
}

LogLine read_log_line(Reader& in) {
    LogLine message;
    message.level = in.choice(LogLevel::error);
    message.callback = read_callback(in);
    message.event = in.number<EventId>();
    message.text = in.text();
    return message;
}

}  // namespace

Result<std::size_t> decode_share(const Frame& frame) {
    Reader in(frame.payload);
    const auto size = in.number<std::uint64_t>();
    if (!in.is_whole()) return fail(Cause::bad_answer, "a shared page that is not well formed");
    return static_cast<std::size_t>(size);
}

Result<ToHost> decode_to_host(Frame frame, const std::shared_ptr<const MappedText>& shared) {
    if (frame.type == to_host<Deliver>) return read_deliver(std::move(frame.payload), shared);
    Reader in(frame.payload);
    ToHost message;
    switch (frame.type) {
        case to_host<Configure>:
            message = read_configure(in);
            break;
        case to_host<Answer>:
            message = read_answer<Answer>(in);
            break;
        case to_host<StopCall>:
            message = StopCall{in.number<std::uint64_t>()};
            break;
        case to_host<Drain>:
            message = Drain{};
            break;
        case to_host<Stop>:
            message = Stop{};
            break;
        case to_host<SetLevel>:
            message = SetLevel{in.choice(LogLevel::error)};
            break;
        case to_host<DataAnswer>:
            message = read_answer<DataAnswer>(in);
            break;
        case to_host<DataCleared>: {
            DataCleared cleared;
            cleared.clearing = in.number<std::uint64_t>();
            cleared.requests = in.number<std::uint64_t>();
            message = cleared;
            break;
        }
        case to_host<Progress>: {
            Progress progress;
            progress.request = in.number<std::uint64_t>();
            progress.done = in.number<std::uint64_t>();
            const bool is_known = in.flag();
            const auto total = in.number<std::uint64_t>();
            if (is_known) progress.total = total;
            message = progress;
            break;
        }
        default:
            return fail(Cause::bad_answer, "a message of the unknown type {}", frame.type);
    }
    if (!in.is_whole())
        return fail(Cause::bad_answer, "a message of type {} that is not well formed", frame.type);
    return message;
}

Result<FromHost> decode_from_host(Frame frame) {
    Reader in(frame.payload);
    Result<FromHost> message;
    switch (frame.type) {
        case from_host<Hello>:
            message = Hello{in.text()};
            break;
        case from_host<Registered>:
            message = read_registered(in);
            break;
        case from_host<RegistrationFailed>: {
            RegistrationFailed failed;
            failed.cause = in.choice(Cause::internal);
            failed.message = in.text();
            message = std::move(failed);
            break;
        }
        case from_host<Outcomes>:
            message = read_outcomes(in);
            break;
        case from_host<Request>:
            message = read_request(in);
            break;
        case from_host<CancelRequest>:
            message = CancelRequest{in.number<std::uint64_t>()};
            break;
        case from_host<LogLine>:
            message = read_log_line(in);
            break;
        case from_host<LogDropped>:
            message = LogDropped{in.number<std::uint64_t>()};
            break;
        case from_host<AskData>:
            message = read_ask_data(in);
            break;
        case from_host<StopData>:
            message = StopData{in.number<std::uint64_t>()};
            break;
        case from_host<ClearData>:
            message = ClearData{in.number<std::uint64_t>()};
            break;
        default:
            return fail(Cause::bad_answer, "a message of the unknown type {}", frame.type);
    }
    if (message && !in.is_whole())
        return fail(Cause::bad_answer, "a message of type {} that is not well formed", frame.type);
    return message;
}

}  // namespace sg::host
