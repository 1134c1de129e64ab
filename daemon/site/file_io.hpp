#pragma once
// Files of this machine, as transfers read and write them: a piece at a time.

#include <sys/stat.h>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "site/transfer.hpp"
#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::site {

/// A file that is sent.
///
/// Threads: one.
class SentFile {
public:
    /// Errors: `invalid`: not there, not to be read, no regular file, empty.
    static Result<SentFile> open(const std::filesystem::path& path);

    std::uint64_t size() const { return static_cast<std::uint64_t>(before_.st_size); }
    const std::string& name() const { return name_; }  ///< without its folders
    int fd() const { return fd_.get(); }

    /// Errors: `invalid`: it is not what it was when it was opened.
    Result<void> check_unchanged() const;

private:
    UniqueFd fd_;
    std::string name_, shown_;
    struct stat before_ {};
};

/// A stretch of a file as a body.
class FileSlice final : public BodySource {
public:
    /// `file` outlives it.
    FileSlice(const SentFile& file, std::uint64_t offset, std::uint64_t length)
        : file_(file), offset_(offset), length_(length) {}

    std::uint64_t size() const override { return length_; }
    Result<std::size_t> read(char* out, std::size_t most) override;
    void seek(std::uint64_t offset) override { given_ = offset; }

    std::function<void(std::uint64_t)> on_read;  ///< bytes of the slice handed over so far

private:
    const SentFile& file_;
    const std::uint64_t offset_, length_;
    std::uint64_t given_ = 0;
};

/// A file that comes into being whole: written under another name beside its own, and renamed when its
/// bytes are on the disk. Goes without a trace if that never happens.
///
/// Threads: one.
class NewFile {
public:
    /// Errors: `invalid` where no file can be made there.
    static Result<NewFile> create(const std::filesystem::path& path);
    NewFile(NewFile&&) noexcept = default;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    std::uint64_t size() const { return size_; }
    /// Errors: `internal`: the disk refuses.
    Result<void> write(std::string_view bytes);
    /// What was written is forgotten.
    Result<void> restart();
    /// Whether so many bytes more fit. Errors: `internal`, with both figures.
    Result<void> check_room(std::uint64_t more) const;
    /// Blocks until the bytes are on the disk and the file has its name.
    Result<void> finish();

private:
    NewFile(std::filesystem::path path, std::filesystem::path temporary, int fd);

    std::filesystem::path path_, temporary_;
    UniqueFd fd_;
    std::uint64_t size_ = 0, flushed_ = 0;
};

}  // namespace sg::site
