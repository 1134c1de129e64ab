// Callbacks that wait for further events before they are called: what they are owed stands on the disk
// meanwhile.
#include <algorithm>
#include <utility>

#include "dispatch/gathering.hpp"
#include "dispatch/lane.hpp"

namespace sg::dispatch {

/// Callbacks that gather get nothing at once: they are owed the event when it lands.
void Lane::split(Item& item) {
    const auto [place, is_new] = splits_.try_emplace(item.callbacks);
    auto& [at_once, gatherers] = place->second;
    if (is_new)
        for (const auto index : *item.callbacks)
            (callbacks_[index].gathering.is_wanted() ? gatherers : at_once).push_back(index);
    if (gatherers.empty()) return;
    item.callbacks = &at_once;
    item.gatherers = &gatherers;
}

/// Events that only gatherers want have landed as soon as they are first in hand. False: there was none.
bool Lane::land_gathered() {
    if (flights_.empty() || !flights_.front().is_complete()) return false;
    checkpoint::Batch batch;
    land_complete(batch);
    move_cursor(batch);
    save(std::move(batch), checkpoint::Urgency::settled, 0);
    return true;
}

/// A new debt of a callback that gathers joins what waits, or opens a window.
void Lane::gather(Debt& debt) const {
    if (!debt.index || *debt.index >= callbacks_.size()) return;
    const auto& gathering = callbacks_[*debt.index].gathering;
    if (!gathering.is_wanted()) return;
    if (debt.key.empty()) set_gathering(debt, gathering);
    debt.due = shared_.now() + std::max(gathering.coalesce, gathering.settle);
    if (debt.settles) return;
    if (const auto open = debts_.gathered_until(debt.callback, debt.key)) debt.due = *open;
}

/// What is part of creating an entity puts off those that wait for quiet; anything else says that it is
/// created.
void Lane::watch_quiet(const event::EventPage& page, EventId after, EventId through) {
    const auto rows = page.rows();
    auto row = std::partition_point(rows.begin(), rows.end(), [&](const auto& r) { return r.id <= after; });
    for (; row != rows.end() && row->id <= through; ++row) {
        if (!debts_.may_stir(row->type)) continue;
        const auto stir = stir_of(*row);
        if (stir.entity.empty()) continue;
        debts_.stir(stir.entity, [&](std::uint16_t callback) {
            return stir.in_create ? shared_.now() + callbacks_[callback].gathering.settle : shared_.now();
        });
        if (stir.in_create) continue;
        retry_ = shared_.loop.at(shared_.now(), [weak = weak_from_this()] {
            if (const auto lane = weak.lock()) lane->pump();
        });
    }
}

plugins::Delivery Lane::delivery_of(const DueCall& due) const {
    if (!due.is_merged) {
        const auto& first = *due.debts.front();
        plugins::Delivery delivery{first.event, {}, first.attempts + 1, first.redelivered};
        for (const auto* debt : due.debts) delivery.callbacks.push_back(*debt->index);
        return delivery;
    }
    const Debt& lead = *due.debts.back();
    plugins::Delivery delivery{lead.event, {*lead.index}, lead.attempts + 1, lead.redelivered, lead.merged};
    for (const auto* debt : due.debts) delivery.redelivered = delivery.redelivered || debt->redelivered;
    return delivery;
}

}  // namespace sg::dispatch
