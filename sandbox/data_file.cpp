#include "sandbox/data_file.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <optional>

#include "sandbox/schema_json.hpp"
#include "util/clock.hpp"
#include "util/thread.hpp"

namespace sg::sandbox {
namespace {

constexpr std::chrono::milliseconds write_every(50);
constexpr std::size_t rows_at_a_time = 10'000;

}  // namespace

/// An event row's columns, taken out of the log so that they can be written without its lock.
struct DataFile::EventCopy {
    Id id = 0;
    bool there = false;
    const Shared *event_type = nullptr, *attribute_name = nullptr;  // interned: they live as long as the log
    std::shared_ptr<const std::string> meta;
    EventLink links[3];
    std::optional<std::int64_t> created_at;
    std::optional<std::string> session_uuid, description;
    bool hidden = false;
};

DataFile::EventCopy DataFile::copy_of(const EventLog& log, Id id) {
    EventCopy out;
    out.id = id;
    const auto found = log.rows().find(id);
    if (found == log.rows().end()) return out;
    const auto& row = found->second;
    out.there = true;
    out.event_type = row.event_type;
    out.attribute_name = row.attribute_name;
    out.meta = row.meta;
    out.links[0] = row.entity, out.links[1] = row.user, out.links[2] = row.project;
    if (row.created_at) out.created_at = row.created_at->time_since_epoch().count();
    if (row.session_uuid) out.session_uuid = *row.session_uuid;
    if (row.description) out.description = *row.description;
    out.hidden = row.hidden;
    return out;
}

struct DataFile::Pending : Changes {
    std::map<std::pair<std::string, std::string>, std::optional<std::string>> secrets;  // nullopt: removed
    std::map<std::string, std::string> documents;
    std::map<Id, StoredFile> files;

    bool nothing() const { return empty() && secrets.empty() && documents.empty() && files.empty(); }
    /// Puts back what could not be written, as if it came before what has come since.
    void put_back(Pending&& older) {
        older.records.insert(older.records.end(), records.begin(), records.end());
        records = std::move(older.records);
        older.events.insert(older.events.end(), events.begin(), events.end());
        events = std::move(older.events);
        sequences = sequences || older.sequences;
        schema = schema || older.schema;
        secrets.merge(older.secrets);
        documents.merge(older.documents);
        files.merge(older.files);
    }
};

/// What one transaction writes.
class DataFile::Batch {
public:
    struct RecordCopy {
        std::string type;
        Id id = 0;
        bool there = false, retired = false;
        std::string fields;
    };

    /// Under the site's lock, between two operations.
    Batch(Pending changes, const EntityStore& store, const EventLog& log) : taken(std::move(changes)) {
        auto keys = taken.records;
        std::ranges::sort(keys);
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        for (const auto& [type, id] : keys) {
            const auto* record = store.find(type, id);
            RecordCopy copy{type, id, record != nullptr, false, {}};
            if (record != nullptr) {
                copy.retired = record->retired;
                copy.fields = Json(record->fields).dump(-1, ' ', false, Json::error_handler_t::replace);
            }
            records.push_back(std::move(copy));
            sequences[type] = store.last_id(type);
        }
        if (taken.schema) taken.documents["schema"] = schema_as_text(store.schema());
        sequences["EventLogEntry"] = log.next_id() - 1;
        take_events(log);
    }
    /// The next few events; false if there are no more. Under the site's lock.
    bool take_events(const EventLog& log) {
        events.clear();
        for (; next_event < taken.events.size() && events.size() < rows_at_a_time; ++next_event)
            events.push_back(copy_of(log, taken.events[next_event]));
        return !events.empty();
    }

    Pending taken;
    std::vector<RecordCopy> records;
    std::map<std::string, Id> sequences;
    std::vector<EventCopy> events;
    std::size_t next_event = 0;
};

DataFile::DataFile(const std::filesystem::path& file, Parts parts)
    : parts_(std::move(parts)), file_(file), pending_(std::make_unique<Pending>()) {}

DataFile::~DataFile() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    write_pending();
    std::lock_guard lock(parts_.lock);
    parts_.store.watch(nullptr);
    parts_.log.unwatch(pending_.get());
}

void DataFile::start() {
    {
        std::lock_guard lock(parts_.lock);
        parts_.store.watch(pending_.get());
        parts_.log.watch(pending_.get());
    }
    thread_ = start_thread("sandbox-data", [this](const std::stop_token& stop) { run(stop); });
}

void DataFile::run(const std::stop_token& stop) {
    SystemClock clock;
    while (clock.sleep_until(clock.now() + write_every, stop)) write_pending();
}

bool DataFile::flush() { return write_pending(); }

void DataFile::set_secret(const std::string& kind, const std::string& name, const std::string& secret) {
    pending_->secrets[{kind, name}] = secret;
}
void DataFile::remove_secret(const std::string& kind, const std::string& name) {
    pending_->secrets[{kind, name}] = std::nullopt;
}
void DataFile::set_document(const std::string& name, std::string content) {
    pending_->documents[name] = std::move(content);
}

void DataFile::set_file(Id attachment, StoredFile file) { pending_->files[attachment] = std::move(file); }

bool DataFile::write_pending() {
    std::lock_guard one_writer(file_mutex_);
    std::optional<Batch> batch;
    {
        std::lock_guard lock(parts_.lock);
        if (pending_->nothing()) return true;
        batch.emplace(std::exchange(*pending_, {}), parts_.store, parts_.log);
    }
    try {
        file_.execute("BEGIN IMMEDIATE");
        write(*batch);
        file_.execute("COMMIT");
        in_trouble_ = false;
        return true;
    } catch (const DataFileError& why) {
        try {
            file_.execute("ROLLBACK");
        } catch (const DataFileError&) {  // there was no transaction to end
        }
        if (!std::exchange(in_trouble_, true) && parts_.trouble) parts_.trouble(why.what());
        std::lock_guard lock(parts_.lock);
        pending_->put_back(std::move(batch->taken));
        return false;
    }
}

void DataFile::write(Batch& batch) {
    auto* db = file_.get();
    Statement put(db, "INSERT OR REPLACE INTO entity VALUES(?,?,?,?)");
    Statement drop(db, "DELETE FROM entity WHERE type=? AND id=?");
    for (const auto& record : batch.records) {
        if (record.there)
            put.bind(record.type).bind(record.id).bind(record.retired ? 1 : 0).bind(record.fields).run();
        else
            drop.bind(record.type).bind(record.id).run();
    }
    Statement put_event(db, "INSERT OR REPLACE INTO event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    Statement drop_event(db, "DELETE FROM event WHERE id=?");
    const auto optional = [](Statement& to, const auto& value) {
        value ? to.bind(*value) : to.bind(std::nullopt);
    };
    for (bool more = true; more;) {
        for (const auto& row : batch.events) {
            if (!row.there) {
                drop_event.bind(row.id).run();
                continue;
            }
            put_event.bind(row.id);
            put_event.bind_text(row.event_type ? &row.event_type->raw : nullptr);
            put_event.bind_text(row.attribute_name ? &row.attribute_name->raw : nullptr);
            put_event.bind_text(row.meta.get());
            for (const auto& link : row.links) {
                put_event.bind_text(link.type ? &link.type->raw : nullptr).bind(link.id);
                put_event.bind_text(link.own_text.get());
            }
            optional(put_event, row.created_at);
            optional(put_event, row.session_uuid);
            optional(put_event, row.description);
            put_event.bind(row.hidden ? 1 : 0).run();
        }
        std::lock_guard lock(parts_.lock);
        more = batch.take_events(parts_.log);
    }
    Statement sequence(db, "INSERT OR REPLACE INTO sequence VALUES(?,?)");
    for (const auto& [name, last] : batch.sequences) sequence.bind(name).bind(last).run();
    Statement secret(db, "INSERT OR REPLACE INTO secret VALUES(?,?,?)");
    Statement no_secret(db, "DELETE FROM secret WHERE kind=? AND name=?");
    for (const auto& [who, text] : batch.taken.secrets) {
        if (text)
            secret.bind(who.first).bind(who.second).bind(*text).run();
        else
            no_secret.bind(who.first).bind(who.second).run();
    }
    Statement document(db, "INSERT OR REPLACE INTO document VALUES(?,?)");
    for (const auto& [name, content] : batch.taken.documents) document.bind(name).bind(content).run();
    write_files(batch.taken.files);
}

std::string DataFile::document(const std::string& name) {
    Statement ask(file_.get(), "SELECT content FROM document WHERE name=?");
    ask.bind(name);
    return ask.step() ? std::string(ask.text(0)) : std::string();
}

void DataFile::load(const TakeSecret& take_secret) {
    auto& store = parts_.store;
    if (const auto schema = document("schema"); !schema.empty() && !apply_schema_text(store.schema(), schema))
        throw DataFileError("the data file's schema is damaged");
    Statement entities(file_.get(), "SELECT type, id, retired, fields FROM entity ORDER BY type, id");
    while (entities.step()) {
        const std::string type(entities.text(0));
        const auto* def = store.schema().find(type);
        if (def == nullptr) throw DataFileError("the data file has rows of the unknown type " + type);
        const auto fields = Json::parse(entities.text(3), nullptr, false);
        if (!fields.is_object())
            throw DataFileError(fmt::format("the data file's {} {} is damaged", type, entities.number(1)));
        auto& record =
            store.add(*def, fields.get<std::map<std::string, Json, std::less<>>>(), entities.number(1));
        if (entities.number(2) != 0) store.set_retired(record, true);
    }
    load_events();
    Statement sequences(file_.get(), "SELECT name, last FROM sequence");
    while (sequences.step()) {
        const std::string name(sequences.text(0));
        if (name == "EventLogEntry")
            parts_.log.set_next_id(sequences.number(1) + 1);
        else
            store.set_last_id(name, sequences.number(1));
    }
    Statement secrets(file_.get(), "SELECT kind, name, secret FROM secret");
    while (secrets.step())
        take_secret(std::string(secrets.text(0)), std::string(secrets.text(1)), std::string(secrets.text(2)));
}

void DataFile::load_events() {
    auto& log = parts_.log;
    Statement events(file_.get(), "SELECT * FROM event ORDER BY id");
    while (events.step()) {
        EventRow row;
        row.id = events.number(0);
        if (!events.null(1)) row.event_type = log.intern(events.text(1));
        if (!events.null(2)) row.attribute_name = log.intern(events.text(2));
        if (!events.null(3)) row.meta = log.share_meta(std::string(events.text(3)));
        EventLink* const links[]{&row.entity, &row.user, &row.project};
        for (int i = 0; i < 3; ++i) {
            const int column = 4 + 3 * i;
            if (events.null(column)) continue;
            links[i]->type = log.intern(events.text(column));
            links[i]->id = events.number(column + 1);
            if (!events.null(column + 2))
                links[i]->own_text = std::make_shared<const std::string>(events.text(column + 2));
        }
        if (!events.null(13)) row.created_at = Seconds(std::chrono::seconds(events.number(13)));
        if (!events.null(14)) row.session_uuid = std::make_unique<std::string>(events.text(14));
        if (!events.null(15)) row.description = std::make_unique<std::string>(events.text(15));
        row.hidden = events.number(16) != 0;
        log.add(std::move(row));
    }
}

}  // namespace sg::sandbox
