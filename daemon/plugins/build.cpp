#include "plugins/build.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sg/abi.hpp>
#include <vector>

#include "plugins/collection.hpp"
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

struct Library {
    std::string name;
    std::string bytes;
};

/// Sorted by name; none where there is no directory.
Result<std::vector<Library>> read_libraries(const fs::path& directory) {
    std::vector<Library> libraries;
    std::error_code error;
    if (!fs::is_directory(directory, error)) return libraries;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        std::error_code ignored;
        if (!at->is_regular_file(ignored)) continue;
        auto bytes = read_file(at->path());
        if (!bytes) return fail(bytes.error(), "its library {}", at->path().string());
        libraries.push_back({at->path().filename().string(), std::move(*bytes)});
    }
    if (error) return fail(Cause::invalid, "{} cannot be read: {}", directory.string(), error.message());
    std::sort(libraries.begin(), libraries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return libraries;
}

std::string hash_of(const std::string& bytes, const std::vector<Library>& libraries) {
    if (libraries.empty()) return sha256(bytes);
    std::string all = sha256(bytes);
    for (const auto& library : libraries) all += library.name + '\0' + sha256(library.bytes);
    return sha256(all);
}

Result<void> make_directory(const fs::path& directory) {
    std::error_code error;
    fs::remove_all(directory, error);
    if (fs::create_directory(directory, error)) return {};
    return fail(Cause::internal, "cannot make the directory {}: {}", directory.string(), error.message());
}

Result<void> write_copies(const fs::path& copy, const std::string& bytes,
                          const std::vector<Library>& libraries) {
    if (auto made = make_directory(copy.parent_path()); !made) return made;
    if (auto written = write_copy(copy, bytes); !written) return written;
    if (libraries.empty()) return {};
    const auto beside = libraries_of(copy);
    if (auto made = make_directory(beside); !made) return made;
    for (const auto& library : libraries)
        if (auto written = write_copy(beside / library.name, library.bytes); !written) return written;
    return {};
}

/// Whether it is a name that `make` gives: `<plugin>.<generation>.<hash8>`.
bool is_copy(std::string_view name) {
    const auto hash = name.rfind('.');
    const auto number = hash == 0 || hash == std::string_view::npos ? hash : name.rfind('.', hash - 1);
    if (number == 0 || number == std::string_view::npos || name.size() - hash != 9 || hash - number < 2)
        return false;
    const auto only = [&](std::string_view part, const char* allowed) {
        return part.find_first_not_of(allowed) == std::string_view::npos;
    };
    return only(name.substr(number + 1, hash - number - 1), "0123456789") &&
           only(name.substr(hash + 1), "0123456789abcdef");
}

}  // namespace

Result<std::shared_ptr<const Build>> Build::make(const std::string& plugin, const fs::path& file,
                                                 const fs::path& cache, std::uint64_t generation) {
    const auto bytes = read_file(file);
    if (!bytes) return fail(bytes.error(), "{}", file.string());
    const auto note = read_abi_note(*bytes);
    if (!note) return fail(note.error(), "{}", file.string());
    if (auto fits = compare_abi(*note, SG_ABI_TEXT); !fits) return fail(fits.error(), "{}", file.string());
    const auto libraries = read_libraries(libraries_of(file));
    if (!libraries) return fail(libraries.error(), "{}", file.string());
    const auto hash = hash_of(*bytes, *libraries);
    const auto directory =
        fs::absolute(cache) / fmt::format("{}.{}.{}", plugin, generation, hash.substr(0, 8));
    auto build = std::make_shared<const Build>(directory / (plugin + ".so"), hash);
    if (auto written = write_copies(build->copy(), *bytes, *libraries); !written)
        return fail(written.error(), "{}", file.string());
    return build;
}

Build::~Build() {
    std::error_code ignored;
    fs::remove_all(copy_.parent_path(), ignored);
}

Result<void> prepare_cache(const fs::path& cache) {
    std::error_code error;
    fs::create_directories(cache, error);
    if (error)
        return fail(Cause::internal, "cannot make the directory {} for plugins: {}", cache.string(),
                    error.message());
    fs::permissions(cache, fs::perms::owner_all, error);
    for (fs::directory_iterator at(cache, error), end; !error && at != end; at.increment(error)) {
        std::error_code ignored;
        const auto name = at->path().filename().string();
        if (is_copy(name) && at->is_directory(ignored)) fs::remove_all(at->path(), ignored);
    }
    if (error)
        return fail(Cause::internal, "cannot clean the directory {} of plugins: {}", cache.string(),
                    error.message());
    return {};
}

}  // namespace sg::plugins
