// A position file of shotgunEvents. What is taken from it can be stored.

#include "fuzz/fuzz.hpp"
#include "legacy/old_positions.hpp"

using namespace sg;

void fuzz(std::string_view input) {
    const auto old = legacy::read_positions(input);
    if (!old) return SG_MUST(!old.error().message.empty());
    legacy::PositionChoice choice;
    choice.present = {"a", "b"};
    choice.collections = {"/first"};
    const auto plan = legacy::plan_positions(*old, choice);
    if (!plan) return;
    SG_MUST(!plan->plugins.empty());
    for (const auto& [name, progress] : plan->plugins)
        SG_MUST(progress.start <= progress.cursor && progress.cursor <= plan->highest && progress.start >= 0);
    EventId last = 0;
    for (const auto& gap : plan->gaps) {
        SG_MUST(gap.first > last && gap.last >= gap.first && gap.last < plan->highest);
        last = gap.last;
    }
    SG_MUST(!plan->batch().empty());
}
