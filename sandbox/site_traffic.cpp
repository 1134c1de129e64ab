// What a site does to its requests, what it tells of them, and its webhooks.

#include <algorithm>

#include "sandbox/site_impl.hpp"

namespace sg::sandbox {

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

std::string Site::add_webhook(WebhookSettings settings) {
    auto id = impl_->hooks.add(std::move(settings));
    impl_->keep_webhooks();
    return id;
}
bool Site::remove_webhook(const std::string& id) {
    const bool known = impl_->hooks.remove(id);
    impl_->keep_webhooks();
    return known;
}
bool Site::enable_webhook(const std::string& id, bool enabled) {
    const bool known = impl_->hooks.enable(id, enabled);
    impl_->keep_webhooks();
    return known;
}
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
