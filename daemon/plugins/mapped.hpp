#pragma once
// What of a plugin is still mapped into the daemon after it was unloaded.

#include <filesystem>
#include <string>
#include <vector>

namespace sg::plugins {

struct StillMapped {
    std::filesystem::path library;
    std::string why;  ///< what keeps it, as far as can be told from outside
};

/// The libraries below `directory` that this process has mapped. Reads their files, so they must still be
/// there.
///
/// The loader keeps a library for good if one of its symbols is unique in the process, or if it was linked
/// so; as long as another library needs it; and until each thread has ended that holds a `thread_local`
/// object of it which has a destructor. The last it says nowhere: it is what remains where none of the others
/// holds.
///
/// Threads: any.
std::vector<StillMapped> still_mapped(const std::filesystem::path& directory);

}  // namespace sg::plugins
