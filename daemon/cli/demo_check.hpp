#pragma once
// Whether the demo did what it claims.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "cli/demo_book.hpp"
#include "site/client.hpp"

namespace sg::cli {

struct DemoResult {
    std::size_t rows = 0;              ///< in the sandbox's event log since the demo began
    std::set<EntityId> shots;          ///< whose status a plugin changed
    std::vector<std::string> missing;  ///< what was not handled, or not as it should be
};

/// Holds the sandbox's own event log, read through the site's protocol, against what the daemon
/// reported and what the recorder wrote. Blocks on the site and the disk.
/// Errors: the event log or the journal cannot be read.
Result<DemoResult> check_demo(site::Client& client, const site::Script& script, EventId after,
                              const DemoBook& book, const std::filesystem::path& journal,
                              const std::string& status_script);

}  // namespace sg::cli
