// What a host asks of the data retriever.

#include "plugins/live_generation.hpp"

namespace sg::plugins {

Credential LiveGeneration::credential_of(const std::optional<std::uint16_t>& callback) const {
    Credential credential;
    if (callback) credential = credentials_[*callback];
    if (credential.name.empty() && credential.script_name.empty())
        credential.name = plan_.settings->credential;
    return credential;
}

/// A host keeps back what is above its limits.
void LiveGeneration::on_ask_data(host::AskData ask) {
    if (!body_) return;
    if (ask.callback && *ask.callback >= callbacks_.size())
        return reject("it named a callback that it does not have");
    const auto bytes = ask.bytes();
    const bool has_room = asked_data_.size() < host::most_data_requests &&
                          (asked_data_.empty() || asked_data_bytes_ + bytes <= host::most_data_bytes);
    if (!has_room) return reject("it asked the data retriever for more at once than it may");
    if (!asked_data_.emplace(ask.id, bytes).second) return reject("it used the number of a request twice");
    asked_data_bytes_ += bytes;
    if (plan_.data == nullptr)
        return end_data(ask.id, fail(Cause::not_supported, "this daemon has no data retriever"));
    if (!data_) data_ = plan_.data->open(plan_.plugin);
    host::DataRequest request;
    request.id = ask.id;
    if (ask.callback) request.callback = callbacks_[*ask.callback].name;
    request.what = std::move(ask.what);
    request.arguments = std::move(ask.arguments);
    request.credential = credential_of(ask.callback);
    request.session_uuid = std::move(ask.session_uuid);
    request.event = ask.event;
    data_->start(std::move(request), [this, id = ask.id, &loop = loop_,
                                      alive = std::weak_ptr<int>(alive_)](host::DataOutcome outcome) {
        loop.post([this, id, alive, outcome = std::move(outcome)]() mutable {
            if (!alive.expired()) end_data(id, std::move(outcome));
        });
    });
}

void LiveGeneration::end_data(std::uint64_t id, host::DataOutcome outcome) {
    const auto found = asked_data_.extract(id);
    if (!found) return;
    asked_data_bytes_ -= found.mapped();
    if (body_) body_->channel().send(host::DataAnswer{id, std::move(outcome)});
}

void LiveGeneration::on_stop_data(std::uint64_t id) {
    const auto found = asked_data_.extract(id);
    if (!found) return;
    asked_data_bytes_ -= found.mapped();
    if (data_) data_->stop(id);
}

/// Answers of what is cleared are on their way to the loop when the number comes.
void LiveGeneration::on_clear_data(std::uint64_t clearing) {
    const auto tell = [this, clearing](std::size_t cleared) {
        if (body_) body_->channel().send(host::DataCleared{clearing, cleared});
    };
    if (!data_) return tell(0);
    data_->clear([tell, &loop = loop_, alive = std::weak_ptr<int>(alive_)](std::size_t cleared) {
        loop.post([tell, alive, cleared] {
            if (!alive.expired()) tell(cleared);
        });
    });
}

}  // namespace sg::plugins
