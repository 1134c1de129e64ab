#include <algorithm>

#include "sandbox/site_impl.hpp"

namespace sg::sandbox {
namespace {

std::vector<FieldWrite> as_writes(const Fields& fields) {
    std::vector<FieldWrite> out;
    for (const auto& [name, value] : fields) out.push_back({name, value, "set"});
    return out;
}

}  // namespace

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
    impl_->keep_rest();
}
void Site::require_code(const std::string& login, const std::string& code) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().require_code(login, code);
    impl_->keep_rest();
}
void Site::refuse_passwords(int fault) {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().refuse_passwords(fault);
    impl_->keep_rest();
}
void Site::expire_sessions() {
    std::lock_guard lock(impl_->mutex);
    impl_->rpc.authority().expire_sessions();
    impl_->keep_rest();
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

}  // namespace sg::sandbox
