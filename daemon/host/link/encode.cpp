// Messages to bytes.

#include <cstring>
#include <functional>
#include <type_traits>

#include "host/link/codec.hpp"
#include "host/link/wire.hpp"

namespace sg::host {

using namespace wire;

namespace {

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    template <class T>
    void number(T value) {
        static_assert(std::is_trivially_copyable_v<T>);
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void flag(bool value) { number<std::uint8_t>(value ? 1 : 0); }
    void text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        out_.append(value);
    }
    void bytes(std::string_view value) { out_.append(value); }

private:
    std::string& out_;
};

/// Where the event's text stands in the page that the host has; below zero: not there.
std::int64_t offset_in(const event::EventPage* shared, const Delivery& delivery) {
    if (shared == nullptr || delivery.event.page.get() != shared) return -1;
    const auto text = shared->text(), raw = delivery.event.row().raw;
    const std::less_equal<const char*> before;
    if (!before(text.data(), raw.data()) || !before(raw.data() + raw.size(), text.data() + text.size()))
        return -1;
    return raw.data() - text.data();
}

void put(Writer& out, const Delivery& delivery, const event::EventPage* shared) {
    const auto& row = delivery.event.row();
    const auto offset = offset_in(shared, delivery);
    out.number(DeliveryHeader{
        row.id, row.project, row.created_at.time_since_epoch().count(), offset, delivery.attempt,
        static_cast<std::uint32_t>(row.type.size()), static_cast<std::uint32_t>(row.attribute.size()),
        static_cast<std::uint32_t>(row.raw.size()), static_cast<std::uint16_t>(delivery.callbacks.size()),
        delivery.redelivered ? std::uint8_t{1} : std::uint8_t{0}, 0,
        static_cast<std::uint32_t>(delivery.merged.size())});
    out.bytes({reinterpret_cast<const char*>(delivery.callbacks.data()),
               delivery.callbacks.size() * sizeof(std::uint16_t)});
    out.bytes(
        {reinterpret_cast<const char*>(delivery.merged.data()), delivery.merged.size() * sizeof(EventId)});
    out.bytes(row.type);
    out.bytes(row.attribute);
    if (offset < 0) out.bytes(row.raw);
}

struct Events {
    std::span<const Delivery> list;
    const event::EventPage* shared;
};
void put(Writer& out, const Events& events) {
    out.number(static_cast<std::uint32_t>(events.list.size()));
    for (const auto& delivery : events.list) put(out, delivery, events.shared);
}

void put(Writer& out, const Configure& message) {
    out.text(message.plugin);
    out.text(message.library);
    out.text(message.args);
    out.text(message.site);
    out.number(message.level);
    out.flag(message.dry_run);
    out.number<std::int64_t>(message.hard_deadline ? message.hard_deadline->count() : -1);
    out.number(message.requests_at_once);
}
void put(Writer& out, const Deliver& message) { put(out, Events{expand(message), nullptr}); }
void put(Writer& out, const Result<std::string>& result) {
    out.flag(result.has_value());
    if (result) {
        out.text(*result);
    } else {
        const auto& failure = result.error();
        out.number(failure.cause);
        out.text(failure.message);
        out.number(static_cast<std::int32_t>(failure.site_code));
    }
}
void put(Writer& out, const Answer& message) {
    out.number(message.request);
    put(out, message.result);
}
void put(Writer& out, const DataAnswer& message) {
    out.number(message.request);
    put(out, message.result);
}
void put(Writer& out, const DataCleared& message) {
    out.number(message.clearing);
    out.number(message.requests);
}
void put(Writer& out, const Progress& message) {
    out.number(message.request);
    out.number(message.done);
    out.flag(message.total.has_value());
    out.number(message.total.value_or(0));
}
void put(Writer& out, const StopCall& message) { out.number(message.sequence); }
void put(Writer&, const Drain&) {}
void put(Writer&, const Stop&) {}
void put(Writer& out, const SetLevel& message) { out.number(message.level); }

void put(Writer& out, const Hello& message) { out.text(message.abi); }
void put(Writer& out, const Registered& message) {
    out.text(message.alerts);
    out.flag(message.log_level.has_value());
    out.number(message.log_level.value_or(LogLevel::info));
    out.number(static_cast<std::uint32_t>(message.callbacks.size()));
    for (const auto& callback : message.callbacks) {
        out.text(callback.name);
        out.text(callback.filter.to_json().dump());
        out.text(callback.credential.name);
        out.text(callback.credential.script_name);
        out.text(callback.credential.script_key);
        out.number(callback.on_failure);
        out.number(static_cast<std::int32_t>(callback.concurrency));
        out.text(nlohmann::json{callback.only.to_json(), callback.never.to_json(), callback.fields}.dump(
            -1, ' ', false, nlohmann::json::error_handler_t::replace));
        out.number<std::int64_t>(callback.gathering.coalesce.count());
        out.number(callback.gathering.by);
        out.number<std::int64_t>(callback.gathering.settle.count());
    }
}
void put(Writer& out, const RegistrationFailed& message) {
    out.number(message.cause);
    out.text(message.message);
}
void put(Writer& out, const Outcomes& message) {
    out.number(message.first);
    out.number(static_cast<std::uint32_t>(message.list.size()));
    for (const auto& outcome : message.list) {
        out.number(OutcomeHeader{outcome.event, outcome.duration.count(),
                                 static_cast<std::uint32_t>(outcome.error.size()), outcome.callback,
                                 static_cast<std::uint8_t>(outcome.cause),
                                 outcome.ok ? std::uint8_t{1} : std::uint8_t{0}});
        out.bytes(outcome.error);
    }
}
void put(Writer& out, const Request& message) {
    out.number(message.id);
    out.number(message.callback.value_or(no_callback));
    out.number(message.event);
    out.text(message.session_uuid);
    out.text(message.method);
    out.text(message.arguments);
    out.flag(message.progress);
}
void put(Writer& out, const CancelRequest& message) { out.number(message.id); }
void put(Writer& out, const AskData& message) {
    out.number(message.id);
    out.number(message.callback.value_or(no_callback));
    out.number(message.event);
    out.text(message.session_uuid);
    out.text(message.what);
    out.text(message.arguments);
}
void put(Writer& out, const StopData& message) { out.number(message.id); }
void put(Writer& out, const ClearData& message) { out.number(message.clearing); }
void put(Writer& out, const LogLine& message) {
    out.number(message.level);
    out.number(message.callback.value_or(no_callback));
    out.number(message.event);
    out.text(message.text);
}
void put(Writer& out, const LogDropped& message) { out.number(message.lines); }

/// A frame around what `write` appends.
template <class Write>
Result<void> encode_frame(std::uint16_t type, std::size_t limit, std::string& out, Write write) {
    const auto start = out.size();
    Writer writer(out);
    writer.number(FrameHeader{0, link_version, type});
    write(writer);
    const auto length = out.size() - start - sizeof(FrameHeader);
    if (length > limit) {
        out.resize(start);
        return fail(Cause::invalid, "a message of {} bytes is above the limit of {}", length, limit);
    }
    const auto header_length = static_cast<std::uint32_t>(length);
    std::memcpy(out.data() + start, &header_length, sizeof header_length);
    return {};
}

template <class Message>
Result<void> encode_any(const Message& message, std::size_t limit, std::string& out) {
    return encode_frame(static_cast<std::uint16_t>(message.index()), limit, out, [&](Writer& writer) {
        std::visit([&](const auto& kind) { put(writer, kind); }, message);
    });
}

}  // namespace

Result<void> encode(const ToHost& message, std::string& out) {
    return encode_any(message, frame_limit_to_host, out);
}
Result<void> encode(const FromHost& message, std::string& out) {
    return encode_any(message, frame_limit_from_host, out);
}

Result<void> encode_events(std::span<const Delivery> events, const event::EventPage* shared,
                           std::string& out) {
    return encode_frame(to_host<Deliver>, frame_limit_to_host, out, [&](Writer& writer) {
        put(writer, Events{events, shared});
    });
}

void encode_share(std::size_t size, std::string& out) {
    (void)encode_frame(share_type, frame_limit_to_host, out,
                       [&](Writer& writer) { writer.number(static_cast<std::uint64_t>(size)); });
}

std::size_t encoded_size(const Delivery& delivery) noexcept {
    const auto& row = delivery.event.row();
    return sizeof(DeliveryHeader) + delivery.callbacks.size() * sizeof(std::uint16_t) + row.type.size() +
           row.attribute.size() + row.raw.size();
}

}  // namespace sg::host
