#pragma once
// The bytes of files that were uploaded: on the disk, never in memory as a whole.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace sg::sandbox {

/// A directory of the site's own, gone with it.
class ContentDirectory {
public:
    /// Throws std::system_error where none can be made.
    ContentDirectory();
    ~ContentDirectory();
    ContentDirectory(const ContentDirectory&) = delete;
    ContentDirectory& operator=(const ContentDirectory&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// One body as it came, in a file without a name: its space is free again when nobody holds it.
class StoredBody {
public:
    /// Throws std::system_error where the disk refuses.
    explicit StoredBody(const std::filesystem::path& directory);

    int fd() const noexcept { return fd_.get(); }
    std::uint64_t size() const;
    /// Bytes from `offset`; less than `most` at the end.
    std::size_t read(std::uint64_t offset, char* out, std::size_t most) const;

private:
    UniqueFd fd_;
};

/// A stretch of a body.
struct Slice {
    std::shared_ptr<const StoredBody> body;
    std::uint64_t offset = 0, length = 0;
};

/// The bytes of one file: stretches one after another.
class Content {
public:
    void add(Slice slice) {
        size_ += slice.length;
        slices_.push_back(std::move(slice));
    }
    std::uint64_t size() const noexcept { return size_; }
    std::size_t read(std::uint64_t offset, char* out, std::size_t most) const;

private:
    std::vector<Slice> slices_;
    std::uint64_t size_ = 0;
};

/// A file of the site, as it was uploaded.
struct StoredFile {
    Content content;
    std::string name, content_type, etag;
};

}  // namespace sg::sandbox
