#pragma once
// From the configuration of shotgunEvents to one of sgeventd.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "legacy/ini_file.hpp"

namespace sg::legacy {

/// What becomes of keys and passwords that stand in the old file.
enum class SecretsAs : std::uint8_t {
    files,        ///< one file each, which the configuration names
    environment,  ///< a variable that the configuration names, and somebody has to set
    text,         ///< copied
};

/// Something that whoever imports should know.
struct ConversionNote {
    enum class Kind : std::uint8_t { changed, left_out, to_do } kind = Kind::changed;
    std::string where;  ///< "daemon/fetch_interval"; empty: the file as a whole
    int line = 0;       ///< of the old file; 0: none
    std::string text;
};

struct Conversion {
    std::string yaml;
    std::map<std::string, std::string> secret_files;  ///< by name, to stand beside the new configuration
    std::vector<ConversionNote> notes;                ///< in the order of the old file
};

/// The same configuration as commented YAML; what has no counterpart is in the notes, never passed over. No
/// secret is in the text unless `secrets` says so, and none in a note.
Conversion convert(const IniFile& old, const std::string& old_name, const IniFile::Environment& environment,
                   SecretsAs secrets);

}  // namespace sg::legacy
