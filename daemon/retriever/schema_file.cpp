#include "retriever/schema_file.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "site/json_text.hpp"

namespace sg::retriever {
namespace {

// "sgeventd-document 1 <SHA-256 of what follows>\n<ms since 1970>\n<JSON>"
constexpr std::string_view magic = "sgeventd-document ", version = "1 ";
constexpr off_t largest_document = off_t{512} << 20;

std::string checksum(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
    return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
}

tl::unexpected<Failure> damaged(std::string_view how) {
    return fail(Cause::bad_answer, "the file is damaged: {}", how);
}

/// The next line of `text`, which begins after it from then on.
std::optional<std::string_view> take_line(std::string_view& text) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

Result<std::optional<std::string>> read_bytes(const std::filesystem::path& file) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && errno == ENOENT) return std::nullopt;
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0)
        return fail(Cause::internal, "cannot be read: {}", std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return damaged("it is no regular file");
    if (status.st_size > largest_document) return damaged("it is too large");
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    while (size < bytes.size()) {
        const auto n = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Cause::internal, "cannot be read: {}", std::strerror(errno));
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    bytes.resize(size);
    return bytes;
}

Result<std::optional<KeptDocument>> parse_document(std::string_view text) {
    auto head = take_line(text);
    if (!head || !head->starts_with(magic)) return damaged("it has no head");
    head->remove_prefix(magic.size());
    if (!head->starts_with(version)) return std::nullopt;
    head->remove_prefix(version.size());
    if (const auto sum = checksum(text); sum.empty() || *head != sum) return damaged("its checksum is wrong");
    const auto time = take_line(text);
    std::int64_t ms = 0;
    if (!time || std::from_chars(time->data(), time->data() + time->size(), ms).ec != std::errc())
        return damaged("it has no time");
    auto value = site::read_json(text);
    if (!value) return damaged(value.error().message);
    return KeptDocument{std::move(*value), WallTime(std::chrono::milliseconds(ms))};
}

Result<void> write_bytes(const std::filesystem::path& file, std::string_view bytes) {
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return fail(Cause::internal, "cannot make {}: {}", file.string(), std::strerror(errno));
    while (!bytes.empty()) {
        const auto n = ::write(fd.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Cause::internal, "cannot write {}: {}", file.string(), std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace

Result<std::optional<KeptDocument>> read_document(const std::filesystem::path& root,
                                                  const std::string& name) {
    const auto bytes = read_bytes(root / schema_folder / name);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!*bytes) return std::nullopt;
    return parse_document(**bytes);
}

Result<void> write_document(const std::filesystem::path& root, const std::string& name,
                            const KeptDocument& document, unsigned file_mode, unsigned dir_mode) {
    const auto text = site::write_json(document.value);
    if (!text) return tl::unexpected(text.error());
    const auto since = document.fetched.time_since_epoch();
    const auto body =
        fmt::format("{}\n{}", std::chrono::floor<std::chrono::milliseconds>(since).count(), *text);
    auto arrival = Arrival::begin(root, dir_mode);
    if (!arrival) return tl::unexpected(std::move(arrival.error()));
    const auto whole = fmt::format("{}{}{}\n{}", magic, version, checksum(body), body);
    if (auto written = write_bytes(arrival->path(), whole); !written) return written;
    if (auto sealed = arrival->seal(file_mode, document.fetched); !sealed)
        return tl::unexpected(std::move(sealed.error()));
    if (auto placed = arrival->place(schema_folder, name); !placed)
        return tl::unexpected(std::move(placed.error()));
    return {};
}

}  // namespace sg::retriever
