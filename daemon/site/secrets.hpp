#pragma once
// What no message may say.

#include <string>
#include <string_view>
#include <vector>

namespace sg::site {

/// Keys and passwords to be struck out of text that comes from elsewhere: a site's fault may repeat
/// what it was sent, a library may repeat a URL.
class Secrets {
public:
    /// Empty text is no secret. Its spellings in JSON, in Ruby and in a URL count as well.
    void add(std::string_view secret);

    std::string strike(std::string_view text) const;

private:
    std::vector<std::string> spellings_;  // the longest first
};

}  // namespace sg::site
