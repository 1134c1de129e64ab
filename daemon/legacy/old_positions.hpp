#pragma once
// How far shotgunEvents had got: its position file, and what becomes of it.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/store.hpp"
#include "util/result.hpp"

namespace sg::legacy {

struct OldPlugin {
    std::string collection;  ///< the directory, as it was configured
    std::string name;
    std::optional<EventId> last;                     ///< the last event it was done with
    std::map<EventId, checkpoint::Instant> backlog;  ///< missing ids, and until when they are waited for
};

struct OldPositions {
    std::vector<OldPlugin> plugins;
    std::optional<EventId> for_all;  ///< the oldest form of the file: one number for every plugin
};

/// Reads a position file of any version. Its times are local ones: they are taken for this machine's.
/// Errors: it is none; see `Pickle::read`.
Result<OldPositions> read_positions(std::string_view content);

/// What an operator decides about an import.
struct PositionChoice {
    std::vector<std::string> collections;        ///< as configured now, the most important first
    std::vector<std::string> present;            ///< plugins whose libraries are there
    std::vector<std::string> only;               ///< names of now; empty: every one
    std::map<std::string, std::string> renamed;  ///< from the old name to that of now
};

/// What is to be stored.
struct PositionPlan {
    std::map<std::string, checkpoint::Progress> plugins;
    std::vector<checkpoint::Gap> gaps;  ///< ascending, disjoint
    EventId highest = 0;
    std::vector<std::string> notes;  ///< sentences for whoever imports

    checkpoint::Batch batch() const;
};

/// Of several entries with one name the one of the first configured collection counts, else the one that got
/// furthest. An id counts as missing for those plugins that waited for it.
/// Errors: nothing to import.
Result<PositionPlan> plan_positions(const OldPositions& old, const PositionChoice& choice);

}  // namespace sg::legacy
