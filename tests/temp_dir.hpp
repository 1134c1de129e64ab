#pragma once
// A directory of the test's own.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg::test {

/// Removed at the end, unless SG_KEEP_TEMP is set: then a failed test can be looked into.
class TempDir {
public:
    TempDir() {
        auto pattern = (std::filesystem::temp_directory_path() / "sg-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("cannot make a directory for the test");
        path_ = pattern;
    }
    TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ~TempDir() {
        std::error_code ignored;
        if (!path_.empty() && std::getenv("SG_KEEP_TEMP") == nullptr)
            std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace sg::test
