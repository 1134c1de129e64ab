// Calls that an earlier daemon died in: each counts as an attempt that crashed.
#include <algorithm>

#include "dispatch/lane.hpp"

namespace sg::dispatch {
namespace {

constexpr const char* what_happened = "the daemon ended while it ran";

}  // namespace

void Lane::suspect(plugins::Interrupted call) { suspects_.push_back(std::move(call)); }

std::vector<plugins::Interrupted>::iterator Lane::suspect_of(EventId event, const std::string& callback) {
    return std::find_if(suspects_.begin(), suspects_.end(), [&](const plugins::Interrupted& one) {
        return one.event == event && one.callback == callback;
    });
}

/// Whose event was settled since is none. The others wait until their event is met again, but for those that
/// are owed: these are known by now.
void Lane::judge_suspects() {
    if (suspects_.empty()) return;
    checkpoint::Batch batch;
    std::erase_if(suspects_, [&](const plugins::Interrupted& one) {
        Debt* debt = debts_.find(one.event, one.callback);
        if (debt == nullptr && one.event > cursor_) return false;
        if (debt != nullptr) crashed_before(*debt, batch);
        one.settle();
        return true;
    });
    save(std::move(batch), checkpoint::Urgency::settled, 0);
}

void Lane::crashed_before(Debt& debt, checkpoint::Batch& batch) {
    shared_.log.info(
        "[INTERRUPTED] The daemon ended while this callback ran; it counts as an attempt that crashed. "
        "plugin={} callback={} event={}",
        plugin_, debt.callback, debt.event.id());
    Failed failed{debt.index.value_or(0), what_happened, Cause::internal, true};
    failed.in_doubt = true;
    attempt_failed(debt, std::move(failed), batch);
}

/// Of an event that was just taken: those callbacks are owed it once it lands, and not called before.
void Lane::set_aside(Item& item) {
    CallbackList at_once, aside;
    if (item.gatherers != nullptr) aside = *item.gatherers;
    const auto before = aside.size();
    for (const auto index : *item.callbacks)
        (suspect_of(item.event.id(), callback_name(index)) != suspects_.end() ? aside : at_once)
            .push_back(index);
    if (aside.size() == before) return;
    const auto& split = set_aside_.emplace_back(Split{std::move(at_once), std::move(aside)});
    item.callbacks = &split.at_once;
    item.gatherers = &split.gatherers;
}

}  // namespace sg::dispatch
