#include "sandbox/control.hpp"

#include "sandbox/refusal.hpp"
#include "sandbox/site.hpp"

namespace sg::sandbox {
namespace {

template <class T>
T get(const Json& object, const char* key, T otherwise) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? otherwise : found->get<T>();
}

std::optional<std::string> maybe(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    return found->get<std::string>();
}

std::chrono::milliseconds millis(const Json& object, const char* key) {
    return std::chrono::milliseconds(get<std::int64_t>(object, key, 0));
}

EventSpec event_of(const Json& in) {
    EventSpec event;
    if (in.contains("id")) event.id = in["id"].get<Id>();
    if (in.contains("event_type")) event.event_type = maybe(in, "event_type");
    event.attribute_name = maybe(in, "attribute_name");
    event.meta = get<Json>(in, "meta", nullptr);
    event.entity = get<Json>(in, "entity", nullptr);
    event.user = get<Json>(in, "user", nullptr);
    event.project = get<Json>(in, "project", nullptr);
    event.session_uuid = maybe(in, "session_uuid");
    event.description = maybe(in, "description");
    event.hidden = get(in, "hidden", false);
    if (!in.contains("created_at")) return event;
    event.dated = !in["created_at"].is_null();
    if (!event.dated) return event;
    event.created_at = read_date_time(in["created_at"].get<std::string>());
    if (!event.created_at) refuse(fault_invalid, "created_at is no date-time: {}", in["created_at"].dump());
    return event;
}

FaultKind kind_of(const std::string& name) {
    for (auto i = static_cast<int>(FaultKind::none); i <= static_cast<int>(FaultKind::unknown_field); ++i)
        if (name_of(static_cast<FaultKind>(i)) == name) return static_cast<FaultKind>(i);
    refuse(fault_invalid, "no such kind of fault: {}", name);
}

Fault fault_of(const Json& in) {
    const auto kind = get<std::string>(in, "kind", "none");
    auto fault = kind == "refused"
                     ? Fault::refused(get(in, "code", fault_invalid), get<std::string>(in, "text", {}))
                     : Fault::of(kind_of(kind));
    fault.count = get<std::uint64_t>(in, "times", 1);
    fault.method = get<std::string>(in, "method", {});
    fault.entity_type = get<std::string>(in, "entity_type", {});
    fault.script = get<std::string>(in, "script", {});
    fault.http_status = get(in, "status", 500U);
    if (kind != "refused") fault.text = get<std::string>(in, "text", {});
    fault.content_type = get<std::string>(in, "content_type", "application/json; charset=utf-8");
    fault.retry_after_text = maybe(in, "retry_after");
    fault.interval = millis(in, "interval_ms");
    fault.delay = millis(in, "delay_ms");
    if (in.contains("cut_at")) fault.cut_at = in["cut_at"].get<std::uint64_t>();
    fault.gzip = get(in, "gzip", false);
    fault.acts = get(in, "acts", false);
    fault.each = get<std::uint64_t>(in, "each", 1);
    fault.dated = get(in, "dated", true);
    fault.date_off = std::chrono::seconds(get<std::int64_t>(in, "date_off", 0));
    return fault;
}

Json requests_of(const Site& site) {
    auto out = Json::array();
    for (const auto& r : site.requests())
        out.push_back({{"number", r.number},
                       {"connection", r.connection},
                       {"method", r.method},
                       {"entity_type", r.entity_type},
                       {"script", r.script},
                       {"session_uuid", r.session_uuid},
                       {"fault", r.fault},
                       {"status", r.status},
                       {"params", r.params},
                       {"answered", r.fate->answered.load()},
                       {"interleaved", r.fate->interleaved.load()},
                       {"client_left", r.fate->client_left.load()}});
    return out;
}

Json look(Site& site, const std::string& command, const Json& in) {
    if (command == "newest_id") return {{"id", site.newest_id()}};
    if (command == "event_count") return {{"count", site.event_count()}};
    if (command == "requests") return {{"requests", requests_of(site)}};
    if (command == "request_count")
        return {{"count", site.request_count(get<std::string>(in, "method", {}),
                                             get<std::string>(in, "entity_type", {}),
                                             get<std::string>(in, "script", {}))}};
    if (command == "value")
        return {{"value", site.value(in.at("type").get<std::string>(), in.at("id").get<Id>(),
                                     in.at("field").get<std::string>())}};
    if (command == "met") return {{"count", site.met(in.at("fault").get<FaultId>())}};
    return nullptr;
}

Json write(Site& site, const std::string& command, const Json& in) {
    Caller user;
    user.user = link_key(get<Json>(in, "user", nullptr));
    const auto type = in.at("type").get<std::string>();
    const auto values = get<Json>(in, "fields", Json::object());
    Fields fields;
    for (const auto& [name, value] : values.items()) fields.emplace_back(name, value);
    if (command == "create") {
        Id event = 0;
        const auto id = site.create(user, type, fields, &event);
        return {{"id", id}, {"event", event}};
    }
    const auto id = in.at("id").get<Id>();
    if (command == "update") return {{"event", site.update(user, type, id, fields)}};
    return {{"done", command == "delete" ? site.remove(user, type, id) : site.revive(user, type, id)}};
}

Json change(Site& site, const std::string& command, const Json& in) {
    if (command == "add_event") return {{"id", site.add_event(event_of(in))}};
    if (command == "add_events")
        return {{"id", site.add_events(in.at("count").get<std::size_t>(), event_of(in))}};
    if (command == "hide") return {{"done", site.hide(in.at("id").get<Id>())}};
    if (command == "show") return {{"done", site.show(in.at("id").get<Id>())}};
    if (command == "add_script") {
        const auto name = in.at("name").get<std::string>();
        const auto id = site.add_script(name, in.at("key").get<std::string>(), get(in, "logs_events", true));
        site.set_permissions(
            name, {get(in, "reads_events", true), get(in, "writes", true), get(in, "edits_schema", true)});
        return {{"id", id}};
    }
    if (command == "hide_next")
        site.hide_next(in.at("count").get<std::size_t>());
    else if (command == "set_next_event_id")
        site.set_next_event_id(in.at("id").get<Id>());
    else if (command == "skip_event_ids")
        site.skip_event_ids(in.at("count").get<Id>());
    else if (command == "shift_clock")
        site.shift_clock(std::chrono::seconds(in.at("seconds").get<std::int64_t>()));
    else if (command == "require_code")
        site.require_code(in.at("login").get<std::string>(), get<std::string>(in, "code", {}));
    else if (command == "refuse_passwords")
        site.refuse_passwords(get(in, "fault", 0));
    else if (command == "expire_sessions")
        site.expire_sessions();
    else if (command == "set_clock_rate")
        site.set_clock_rate(in.at("rate").get<double>());
    else if (command == "show_later")
        site.show_later(in.at("id").get<Id>(), millis(in, "milliseconds"));
    else if (command == "remove_script_key")
        site.remove_script_key(in.at("name").get<std::string>());
    else if (command == "clear")
        site.clear(in.at("fault").get<FaultId>());
    else if (command == "clear_faults")
        site.clear_faults();
    else if (command == "forget_requests")
        site.forget_requests();
    else
        refuse(fault_invalid, "no such command: {}", command);
    return Json::object();
}

}  // namespace

/// What closes connections happens after the one that asked has its answer.
void Control::disturb(const std::string& command, std::chrono::milliseconds pause) {
    using std::chrono::milliseconds;
    if (command == "close_connections") return later_(milliseconds(0), [this] { site_.close_connections(); });
    if (command == "silence_connections")
        return later_(milliseconds(0), [this] { site_.silence_connections(); });
    later_(milliseconds(0), [this, refuse = command == "refuse_connections"] {
        refuse ? site_.refuse_connections() : site_.ignore_connections();
    });
    later_(pause, [this] { site_.accept_connections(); });
}

/// The fault behind the gate that the command names, if it names one.
Fault Control::gated(Fault fault, const Json& in) {
    const auto name = get<std::string>(in, "gate", {});
    if (name.empty()) return fault;
    std::lock_guard lock(mutex_);
    auto& gate = gates_[name];
    if (gate == nullptr) gate = std::make_shared<Gate>();
    return fault.behind(gate);
}

/// How many answers have come to a gate; opens it if asked to. Opened, its name is free again.
std::string Control::gate_named(const std::string& name, bool open) {
    std::shared_ptr<Gate> gate;
    {
        std::lock_guard lock(mutex_);
        const auto found = gates_.find(name);
        if (found == gates_.end()) refuse(fault_invalid, "no such gate: {}", name);
        gate = found->second;
        if (open) gates_.erase(found);
    }
    if (open) gate->open();
    return Json{{"count", gate->held()}}.dump();
}

std::string Control::answer(const std::string& body, unsigned& status) {
    try {
        const auto in = Json::parse(body);
        const auto command = in.at("command").get<std::string>();
        if (command.ends_with("_connections")) {
            disturb(command, std::chrono::milliseconds(get<std::int64_t>(in, "milliseconds", 1000)));
            return "{}";
        }
        if (command == "create" || command == "update" || command == "delete" || command == "revive")
            return write(site_, command, in).dump();
        if (command == "inject") return Json{{"fault", site_.inject(gated(fault_of(in), in))}}.dump();
        if (command == "open_gate") return gate_named(in.at("gate").get<std::string>(), true);
        if (command == "gate_held") return gate_named(in.at("gate").get<std::string>(), false);
        if (const auto done = webhook_command(site_, command, in)) return done->dump();
        auto out = look(site_, command, in);
        if (out.is_null()) out = change(site_, command, in);
        return out.dump();
    } catch (const std::exception& why) {  // JSON of another shape, or a Refusal
        status = 400;
        return Json{{"error", why.what()}}.dump();
    }
}

}  // namespace sg::sandbox
