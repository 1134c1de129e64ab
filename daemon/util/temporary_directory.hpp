#pragma once
// A directory for as long as something runs.

#include <stdlib.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "util/result.hpp"

namespace sg {

/// Private to the user, below the system's directory for such; removed with all in it when this goes.
class TemporaryDirectory {
public:
    /// Errors: `internal`, where it cannot be made.
    static Result<TemporaryDirectory> make(const std::string& prefix) {
        std::error_code error;
        const auto parent = std::filesystem::temp_directory_path(error);
        auto name = (parent / (prefix + "-XXXXXX")).string();
        if (error || ::mkdtemp(name.data()) == nullptr)
            return fail(Cause::internal, "cannot make the directory {}: {}", name,
                        error ? error.message() : std::strerror(errno));
        return TemporaryDirectory(std::move(name));
    }
    TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

}  // namespace sg
