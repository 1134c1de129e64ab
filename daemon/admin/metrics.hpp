#pragma once
// The snapshot in the text format that Prometheus reads.

#include <string>

#include "admin/snapshot.hpp"

namespace sg::admin {

/// What `/metrics` answers. Names begin with `sgeventd_`; totals count since the daemon started.
std::string metrics_text(const Snapshot& snapshot);

}  // namespace sg::admin
