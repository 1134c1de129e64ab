#pragma once
// INI files as Python reads them.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.hpp"

namespace sg::legacy {

/// A value with `%(NAME)s` resolved.
struct Interpolated {
    std::string text;
    std::string variable{};  ///< the value is this environment variable and nothing else; `text` is empty
    std::vector<std::string> mixed_in;  ///< environment variables whose values are part of `text`
    std::string fault{};  ///< why the old daemon could not have read it; `text` is then as written
};

/// What Python's configparser makes of a file: sections of keys in lower case, `=` or `:`, whole-line
/// comments with `#` or `;`, values that go on in indented lines, defaults for all sections in [DEFAULT].
class IniFile {
public:
    using Environment = std::function<std::optional<std::string>(const std::string& name)>;
    struct Entry {
        std::string text;  ///< as written, lines joined with newlines
        int line = 0;
    };
    using Section = std::map<std::string, Entry>;

    /// Errors: what Python refuses, with the line.
    static Result<IniFile> read(std::string_view text);

    const std::map<std::string, Section>& sections() const noexcept { return sections_; }

    /// The entry of `key` in `section`, or its default; nullptr: neither.
    const Entry* find(const std::string& section, const std::string& key) const;

    /// The value of an entry that is there. A name is looked up in the section, the defaults, and at last
    /// among environment variables.
    Interpolated interpolated(const std::string& section, const std::string& key,
                              const Environment& environment) const;

private:
    std::map<std::string, Section> sections_;
};

}  // namespace sg::legacy
