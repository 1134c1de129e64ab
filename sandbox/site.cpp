#include "sandbox/site.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "sandbox/control.hpp"
#include "sandbox/data_file.hpp"
#include "sandbox/faulty_answer.hpp"
#include "sandbox/files.hpp"
#include "sandbox/http_server.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/rpc.hpp"
#include "sandbox/webhooks.hpp"

namespace sg::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t requests_kept = 100'000;

std::vector<FieldWrite> as_writes(const Fields& fields) {
    std::vector<FieldWrite> out;
    for (const auto& [name, value] : fields) out.push_back({name, value, "set"});
    return out;
}

}  // namespace

class Site::Impl {
public:
    Impl(Site& site, Options options)
        : options_(std::move(options)),
          zone_(options_.time_zone),
          store(options_.schema ? Schema::parse(*options_.schema) : Schema::built_in()),
          rpc(store, log),
          files(rpc, store),
          data(open_data()),
          hooks({log, mutex, [this] { return now(); }, [this] { return base_url_; }}),
          control_(site, [this](auto pause, auto work) { server.later(pause, std::move(work)); }),
          server(
              options_.address, options_.port, [this](const HttpRequest& request) { return handle(request); },
              [this](auto verb, auto target) { return files.store(verb, target); }) {
        rpc.set_direct_uploads(options_.direct_uploads);
        base_url_ = fmt::format("http://{}:{}", options_.address, server.port());
    }

    /// Loads the state, and follows it from then on.
    std::unique_ptr<DataFile> open_data() {
        if (options_.data_file.empty()) return nullptr;
        auto file = std::make_unique<DataFile>(options_.data_file,
                                               DataFile::Parts{store, log, mutex, options_.trouble});
        file->load([this](const std::string& kind, const std::string& name, const std::string& secret) {
            auto& authority = rpc.authority();
            kind == "script" ? authority.set_key(name, secret) : authority.set_password(name, secret);
        });
        file->start();
        return file;
    }

    std::chrono::system_clock::time_point machine_time() const {
        return options_.clock != nullptr ? options_.clock->utc() : std::chrono::system_clock::now();
    }
    std::chrono::system_clock::time_point site_time() const {
        if (rate == 1) return rate_since_site + (machine_time() - rate_since_machine);
        const auto passed = std::chrono::duration<double>(machine_time() - rate_since_machine) * rate;
        return rate_since_site + std::chrono::duration_cast<std::chrono::system_clock::duration>(passed);
    }
    Seconds now() const { return std::chrono::floor<std::chrono::seconds>(site_time()) + shift; }
    SiteTime time() const {
        const auto at = now();
        return {at, zone_.day_at(at), options_.weeks_begin_on_sunday};
    }

    const EntityDef& known(const std::string& type) const {
        const auto* def = store.schema().find(type);
        if (def == nullptr) refuse(fault_invalid, "Entity type '{}' doesn't exist.", type);
        return *def;
    }

    HttpAnswer handle(const HttpRequest& request) {
        if (request.target == "/sandbox/control" && request.verb == "POST") return control(request);
        const bool file = Files::takes(request.verb, request.target);
        if (!file && (!request.target.ends_with("/api3/json") || request.verb != "POST")) return not_found();
        Request entry;
        entry.at = std::chrono::steady_clock::now();
        entry.connection = request.connection;
        auto call = file ? files.parse(request) : parse_call(request.body);
        entry.method = call.method;
        entry.entity_type = call.entity_type;
        entry.script = call.script;
        entry.session_uuid = call.session_uuid;
        entry.params = call.params;
        const auto fate = std::make_shared<Fate>();
        entry.fate = fate;
        std::lock_guard lock(mutex);
        entry.number = ++read_count;
        const auto fault = choose(entry);
        auto answer = answer_for(call, fault, file ? &request : nullptr);
        answer.fate = fate;
        if (!fault || fault->dated)
            answer.headers.emplace_back("Date", http_date(now() + (fault ? fault->date_off : 0s)));
        answer.headers.emplace_back("Server", "sgeventd-sandbox");
        entry.status = answer.status;
        if (fault) entry.fault = name_of(fault->kind);
        ++counts[{entry.method, entry.entity_type, entry.script}];
        journal.push_back(std::move(entry));
        if (journal.size() > requests_kept) journal.pop_front();
        return answer;
    }

    /// The fault that this request meets, counted.
    std::optional<Fault> choose(const Request& entry) {
        for (auto& [id, injected] : faults) {
            const auto& fault = injected.fault;
            if (injected.cleared || (fault.count != 0 && injected.met >= fault.count)) continue;
            const auto fits = [](const std::string& wanted, const std::string& is) {
                return wanted.empty() || wanted == is;
            };
            if (!fits(fault.method, entry.method) || !fits(fault.entity_type, entry.entity_type) ||
                !fits(fault.script, entry.script) || (fault.also && !fault.also(entry)))
                continue;
            if (injected.passed++ % std::max<std::uint64_t>(fault.each, 1) != 0) continue;
            ++injected.met;
            return fault;
        }
        return std::nullopt;
    }

    /// `file` is the request where it is for the files of the site.
    HttpAnswer answer_for(const RpcCall& call, const std::optional<Fault>& fault, const HttpRequest* file) {
        const bool acts = !fault || fault->acts || answers_with_data(fault->kind);
        HttpAnswer answer;
        if (acts && file != nullptr) answer = files.answer(call, *file, now());
        if (acts && file == nullptr) answer.body = rpc.answer(call, time());
        if (fault) spoil(answer, *fault, call);
        return answer;
    }

    HttpAnswer control(const HttpRequest& request) {
        HttpAnswer answer;
        answer.body = control_.answer(request.body, answer.status);
        return answer;
    }

    static HttpAnswer not_found() {
        HttpAnswer answer;
        answer.status = 404;
        answer.content_type = "text/plain";
        answer.body = "The sandbox answers POST /api3/json, POST /sandbox/control, and requests for files.\n";
        return answer;
    }

    EventRow row_of(const EventSpec& event) {
        EventRow row;
        if (event.id) row.id = *event.id;
        if (event.event_type) row.event_type = log.intern(*event.event_type);
        if (event.attribute_name) row.attribute_name = log.intern(*event.attribute_name);
        if (!event.meta.is_null()) row.meta = log.share_meta(event.meta.dump());
        row.entity = log.link(event.entity, store);
        row.user = log.link(event.user, store);
        row.project = log.link(event.project, store);
        if (event.session_uuid) row.session_uuid = std::make_unique<std::string>(*event.session_uuid);
        if (event.description) row.description = std::make_unique<std::string>(*event.description);
        if (event.dated) row.created_at = event.created_at.value_or(now());
        row.hidden = event.hidden;
        return row;
    }

    struct Injected {
        Fault fault;
        std::uint64_t passed = 0, met = 0;
        bool cleared = false;
    };
    using CountKey = std::tuple<std::string, std::string, std::string>;

    const Options options_;
    const TimeZone zone_;
    mutable std::mutex mutex;  // guards everything from here to the control door
    EntityStore store;
    EventLog log;
    Rpc rpc;
    Files files;
    std::chrono::seconds shift{0};
    double rate = 1;  // of the site's clock; since when, by either clock
    std::chrono::system_clock::time_point rate_since_machine{}, rate_since_site{};
    std::map<FaultId, Injected> faults;
    FaultId last_fault = 0;
    std::uint64_t read_count = 0;
    std::deque<Request> journal;
    std::map<CountKey, std::uint64_t> counts;
    std::unique_ptr<DataFile> data;  // after what it follows; null: in memory alone

    std::string base_url_;  // for the hooks' thread, which outlives the server
    Webhooks hooks;
    Control control_;
    HttpServer server;  // last: its thread uses everything above
};

Site::Site() : Site(Options{}) {}
Site::Site(Options options) : impl_(std::make_unique<Impl>(*this, std::move(options))) {
    add_script(script, key);
}
Site::~Site() = default;

std::string Site::url() const { return fmt::format("http://{}:{}", impl_->options_.address, port()); }
std::uint16_t Site::port() const { return impl_->server.port(); }
std::optional<std::filesystem::path> Site::files_directory() const {
    if (impl_->data == nullptr) return std::nullopt;
    return std::filesystem::path(impl_->options_.data_file.string() + ".files");
}
bool Site::flush() { return impl_->data == nullptr || impl_->data->flush(); }

Id Site::add_script(const std::string& name, const std::string& script_key, bool logs_events) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().set_key(name, script_key);
    if (impl_->data) impl_->data->set_secret("script", name, script_key);
    for (auto& [id, record] : impl_->store.rows("ApiUser")) {
        if (record.value("firstname") != name) continue;
        record.fields["generate_event_log_entries"] = logs_events;
        impl_->store.refresh(record);
        return id;
    }
    return impl_->store
        .add(impl_->known("ApiUser"), {{"firstname", name}, {"generate_event_log_entries", logs_events}})
        .id;
}
void Site::remove_script_key(const std::string& name) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().remove_key(name);
    if (impl_->data) impl_->data->remove_secret("script", name);
}
void Site::set_permissions(const std::string& name, Permissions may) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().set_permissions(name, may);
}
void Site::require_code(const std::string& login, const std::string& code) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().require_code(login, code);
}
void Site::refuse_passwords(int fault) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().refuse_passwords(fault);
}
void Site::expire_sessions() {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().expire_sessions();
}
Id Site::add_person(const std::string& name, const std::string& login, const std::string& password) {
    const auto id = add("HumanUser", {{"name", name}, {"login", login}});
    std::lock_guard lock(impl_->mutex);
    if (password.empty()) return id;
    impl_->rpc.authority().set_password(login, password);
    if (impl_->data) impl_->data->set_secret("person", login, password);
    return id;
}

Id Site::add(const std::string& type, const Fields& fields, Id id) {
    std::lock_guard lock(impl_->mutex);
    Caller nobody;
    nobody.logs_events = false;
    return impl_->rpc.writer().create(nobody, impl_->known(type), as_writes(fields), impl_->now(), id).id;
}
Id Site::create(const Caller& user, const std::string& type, const Fields& fields, Id* first_event) {
    std::lock_guard lock(impl_->mutex);
    if (first_event != nullptr) *first_event = user.logs_events ? impl_->log.next_id() : 0;
    if (type == "EventLogEntry")
        return impl_->rpc.writer().create_event(user, as_writes(fields), impl_->now());
    return impl_->rpc.writer().create(user, impl_->known(type), as_writes(fields), impl_->now()).id;
}
Id Site::update(const Caller& user, const std::string& type, Id id, const Fields& fields) {
    std::lock_guard lock(impl_->mutex);
    return impl_->rpc.writer().update(user, impl_->known(type), id, as_writes(fields), impl_->now());
}
bool Site::remove(const Caller& user, const std::string& type, Id id) {
    std::lock_guard lock(impl_->mutex);
    return impl_->rpc.writer().remove(user, impl_->known(type), id, impl_->now());
}
bool Site::revive(const Caller& user, const std::string& type, Id id) {
    std::lock_guard lock(impl_->mutex);
    return impl_->rpc.writer().revive(user, impl_->known(type), id, impl_->now());
}
std::vector<Id> Site::ids(const std::string& type) const {
    std::lock_guard lock(impl_->mutex);
    std::vector<Id> out;
    for (const auto& [id, record] : std::as_const(impl_->store).rows(type))
        if (!record.retired) out.push_back(id);
    return out;
}
Json Site::value(const std::string& type, Id id, const std::string& field) const {
    std::lock_guard lock(impl_->mutex);
    const auto* record = std::as_const(impl_->store).find(type, id);
    return record == nullptr ? Json() : record->value(field);
}

void Site::hold_thumbnails(bool hold) {
    std::lock_guard lock(impl_->mutex);
    impl_->files.hold_thumbnails(hold, impl_->now());
}

Id Site::add_event(const EventSpec& event) {
    std::lock_guard lock(impl_->mutex);
    return impl_->log.add(impl_->row_of(event));
}
Id Site::add_events(std::size_t count, const EventSpec& event) {
    std::lock_guard lock(impl_->mutex);
    const auto first = event.id.value_or(impl_->log.next_id());
    for (std::size_t i = 0; i < count; ++i) {
        auto row = impl_->row_of(event);
        row.id = first + static_cast<Id>(i);
        impl_->log.add(std::move(row));
    }
    return first;
}
Id Site::add_events(std::size_t count, const std::string& event_type, std::optional<std::string> attribute) {
    EventSpec event;
    event.event_type = event_type;
    event.attribute_name = std::move(attribute);
    return add_events(count, event);
}
Id Site::newest_id() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->log.newest_visible();
}
std::size_t Site::event_count() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->log.rows().size();
}
bool Site::hide(Id event) {
    std::lock_guard lock(impl_->mutex);
    return impl_->log.set_hidden(event, true);
}
bool Site::show(Id event) {
    std::lock_guard lock(impl_->mutex);
    return impl_->log.set_hidden(event, false);
}
void Site::show_later(Id event, std::chrono::milliseconds wait) {
    impl_->server.later(wait, [this, event] { show(event); });
}
void Site::hide_next(std::size_t count) {
    std::lock_guard lock(impl_->mutex);
    impl_->log.hide_next(count);
}
void Site::set_next_event_id(Id id) {
    std::lock_guard lock(impl_->mutex);
    impl_->log.set_next_id(id);
}
void Site::skip_event_ids(Id count) {
    std::lock_guard lock(impl_->mutex);
    impl_->log.set_next_id(impl_->log.next_id() + count);
}

Seconds Site::now() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->now();
}
void Site::shift_clock(std::chrono::seconds by) {
    std::lock_guard lock(impl_->mutex);
    impl_->shift += by;
}
void Site::set_clock_rate(double rate) {
    std::lock_guard lock(impl_->mutex);
    impl_->rate_since_site = impl_->site_time();
    impl_->rate_since_machine = impl_->machine_time();
    impl_->rate = rate;
}

FaultId Site::inject(Fault fault) {
    std::lock_guard lock(impl_->mutex);
    impl_->faults[++impl_->last_fault] = {std::move(fault)};
    return impl_->last_fault;
}
void Site::clear(FaultId fault) {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->faults.find(fault);
    if (found != impl_->faults.end()) found->second.cleared = true;  // kept, so that `met` still answers
}
void Site::clear_faults() {
    std::lock_guard lock(impl_->mutex);
    for (auto& [id, injected] : impl_->faults) injected.cleared = true;
}
std::uint64_t Site::met(FaultId fault) const {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->faults.find(fault);
    return found == impl_->faults.end() ? 0 : found->second.met;
}
void Site::refuse_connections() { impl_->server.refuse(); }
void Site::ignore_connections() { impl_->server.ignore(); }
void Site::accept_connections() { impl_->server.accept(); }
void Site::close_connections() { impl_->server.close_connections(); }
void Site::silence_connections() { impl_->server.silence_connections(); }
std::size_t Site::connections() const { return impl_->server.connections(); }

std::string Site::add_webhook(WebhookSettings settings) { return impl_->hooks.add(std::move(settings)); }
bool Site::remove_webhook(const std::string& id) { return impl_->hooks.remove(id); }
bool Site::enable_webhook(const std::string& id, bool enabled) { return impl_->hooks.enable(id, enabled); }
std::vector<WebhookState> Site::webhooks() const { return impl_->hooks.states(); }
std::vector<WebhookDelivery> Site::webhook_deliveries() const { return impl_->hooks.deliveries(); }
void Site::spoil_deliveries(WebhookFault fault, std::size_t count, std::chrono::milliseconds delay) {
    impl_->hooks.spoil(fault, count, delay);
}
bool Site::redeliver(const std::string& delivery) { return impl_->hooks.redeliver(delivery); }

std::vector<Request> Site::requests() const {
    std::lock_guard lock(impl_->mutex);
    return {impl_->journal.begin(), impl_->journal.end()};
}
std::uint64_t Site::request_count() const { return request_count({}); }
std::uint64_t Site::request_count(std::string_view method, std::string_view entity_type,
                                  std::string_view script_name) const {
    std::lock_guard lock(impl_->mutex);
    std::uint64_t total = 0;
    const auto fits = [](std::string_view wanted, std::string_view is) {
        return wanted.empty() || wanted == is;
    };
    for (const auto& [of, count] : impl_->counts)
        if (fits(method, std::get<0>(of)) && fits(entity_type, std::get<1>(of)) &&
            fits(script_name, std::get<2>(of)))
            total += count;
    return total;
}
bool Site::saw_interleaving() const {
    std::lock_guard lock(impl_->mutex);
    return std::ranges::any_of(impl_->journal, [](const Request& r) { return r.fate->interleaved.load(); });
}
void Site::forget_requests() {
    std::lock_guard lock(impl_->mutex);
    impl_->journal.clear();
    impl_->counts.clear();
}

}  // namespace sg::sandbox
