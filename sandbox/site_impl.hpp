#pragma once
// The inside of a site: its parts, and the way of a request through them.

#include <fmt/format.h>
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
#include "sandbox/site.hpp"
#include "sandbox/state_text.hpp"
#include "sandbox/webhooks.hpp"

namespace sg::sandbox {

/// Everything behind a site's members.
///
/// Threads: `mutex` guards the members from `store` to `data`.
class Site::Impl {
public:
    static constexpr std::size_t requests_kept = 100'000;

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
        hooks.apply_text(saved_webhooks);
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
        const bool known = rpc.authority().apply_text(file->document("authority")) &&
                           apply_state_text(rpc.state(), file->document("state"));
        if (!known) throw DataFileError("the data file's state is damaged");
        kept_authority = rpc.authority().changes(), kept_state = rpc.state().changes;
        saved_webhooks = file->document("webhooks");
        file->load_files(
            [this] { return files.make_body(); },
            [this](Id attachment, StoredFile stored) { files.restore(attachment, std::move(stored)); });
        files.on_arrival([raw = file.get()](Id attachment, const StoredFile& stored) {
            raw->set_file(attachment, stored);
        });
        file->start();
        return file;
    }

    /// Hands to the data file what of the rest has changed. Under the lock.
    void keep_rest() {
        if (data == nullptr) return;
        if (std::exchange(kept_authority, rpc.authority().changes()) != rpc.authority().changes())
            data->set_document("authority", rpc.authority().as_text());
        if (std::exchange(kept_state, rpc.state().changes) != rpc.state().changes)
            data->set_document("state", state_as_text(rpc.state()));
    }
    /// With the lock free.
    void keep_webhooks() {
        auto text = hooks.as_text();
        std::lock_guard lock(mutex);
        if (data != nullptr) data->set_document("webhooks", std::move(text));
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
        keep_rest();
        answer.fate = fate;
        if (!fault || fault->dated)
            answer.headers.emplace_back(
                "Date", http_date(now() + (fault ? fault->date_off : std::chrono::seconds(0))));
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
    std::uint64_t kept_authority = 0, kept_state = 0;  // what the data file has of them
    std::string saved_webhooks;
    std::unique_ptr<DataFile> data;  // after what it follows; null: in memory alone

    std::string base_url_;  // for the hooks' thread, which outlives the server
    Webhooks hooks;
    Control control_;
    HttpServer server;  // last: its thread uses everything above
};

}  // namespace sg::sandbox
