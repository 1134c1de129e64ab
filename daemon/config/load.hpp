#pragma once
// From a file to a `Config`, with everything that is wrong said at once.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/config.hpp"

namespace sg::config {

/// One thing that is wrong, or worth knowing, and where it stands.
struct Problem {
    std::string file;
    int line = 0;  ///< from 1; 0: the file as a whole
    int column = 0;
    std::string key;   ///< full name; empty where there is none
    std::string text;  ///< what was expected

    /// `file:line:column: key: text`, without what is not known.
    std::string to_string() const;
};

struct Loaded {
    Config config;
    std::vector<Problem> warnings;
};

/// Asked for the names that the file refers to as `${NAME}`, and for no others.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

/// Whether secrets are looked up. `leave`, for whoever only wants to know where things are: key files are not
/// opened, variables that only secrets need may be unset, and every secret of the result is three stars.
enum class Secrets { read, leave };

/// Reads and checks `file`, and the key files it names. Blocks on the disk. Values are never part
/// of a problem's text where they could be secret.
/// Errors: everything that is wrong, in the order of the file.
tl::expected<Loaded, std::vector<Problem>> load(const std::filesystem::path& file,
                                                const Environment& environment = process_environment,
                                                Secrets secrets = Secrets::read);

/// The effective configuration as a document of the same form, every key included, secrets masked.
std::string show(const Config& config);

}  // namespace sg::config
