#include "plugins/build.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <sg/abi.hpp>

#include "plugins/elf_check.hpp"
#include "util/fd.hpp"

namespace sg::plugins {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_plugin = 1 << 30;

Result<std::string> read_file(const fs::path& file) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0)
        return fail(Cause::invalid, "cannot be read: {}", std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail(Cause::invalid, "not a regular file");
    if (static_cast<std::size_t>(status.st_size) > largest_plugin)
        return fail(Cause::invalid, "larger than 1 GB");
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    while (size < bytes.size()) {
        const auto n = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Cause::invalid, "cannot be read: {}", std::strerror(errno));
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    bytes.resize(size);
    return bytes;
}

std::string sha256(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

Result<void> write_copy(const fs::path& copy, std::string_view bytes) {
    ::unlink(copy.c_str());
    const UniqueFd fd(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500));
    std::size_t size = 0;
    while (fd && size < bytes.size()) {
        const auto n = ::write(fd.get(), bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        size += static_cast<std::size_t>(n);
    }
    if (fd && size == bytes.size()) return {};
    const auto why = std::string(std::strerror(errno));
    ::unlink(copy.c_str());
    return fail(Cause::internal, "cannot write the private copy {}: {}", copy.string(), why);
}

}  // namespace

Result<std::shared_ptr<const Build>> Build::make(const std::string& plugin, const fs::path& file,
                                                 const fs::path& cache, std::uint64_t generation) {
    const auto bytes = read_file(file);
    if (!bytes) return fail(bytes.error(), "{}", file.string());
    const auto note = read_abi_note(*bytes);
    if (!note) return fail(note.error(), "{}", file.string());
    if (auto fits = compare_abi(*note, SG_ABI_TEXT); !fits) return fail(fits.error(), "{}", file.string());
    const auto hash = sha256(*bytes);
    const auto copy = fs::absolute(cache) / fmt::format("{}.{}.{}.so", plugin, generation, hash.substr(0, 8));
    if (auto written = write_copy(copy, *bytes); !written) return fail(written.error(), "{}", file.string());
    return std::make_shared<const Build>(copy, hash);
}

Build::~Build() { ::unlink(copy_.c_str()); }

Result<void> prepare_cache(const fs::path& cache) {
    std::error_code error;
    fs::create_directories(cache, error);
    if (error)
        return fail(Cause::internal, "cannot make the directory {} for plugins: {}", cache.string(),
                    error.message());
    fs::permissions(cache, fs::perms::owner_all, error);
    for (fs::directory_iterator at(cache, error), end; !error && at != end; at.increment(error)) {
        std::error_code ignored;
        if (at->path().extension() == ".so" && at->is_regular_file(ignored)) fs::remove(at->path(), ignored);
    }
    if (error)
        return fail(Cause::internal, "cannot clean the directory {} of plugins: {}", cache.string(),
                    error.message());
    return {};
}

}  // namespace sg::plugins
