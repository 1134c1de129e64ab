#include "plugins/elf_check.hpp"

#include <elf.h>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

namespace sg::plugins {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half machine = EM_AARCH64;
#endif

bool is_inside(std::string_view bytes, std::uint64_t offset, std::uint64_t size) noexcept {
    return offset <= bytes.size() && size <= bytes.size() - offset;
}

template <class T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!is_inside(bytes, offset, sizeof(T))) return std::nullopt;
    T value;  // copied: nothing says that it is aligned in the file
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

Result<Elf64_Ehdr> read_header(std::string_view bytes) {
    if (bytes.empty()) return fail(Cause::invalid, "the file is empty");
    if (bytes.substr(0, SELFMAG) != std::string_view(ELFMAG, SELFMAG))
        return fail(Cause::invalid, "not a shared library");
    const auto header = read_at<Elf64_Ehdr>(bytes, 0);
    if (!header) return fail(Cause::invalid, "the file is not complete: it ends within its header");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != machine)
        return fail(Cause::invalid, "a library for another kind of machine");
    if (header->e_type != ET_DYN) return fail(Cause::invalid, "an ELF file, but not a shared library");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0)
        return fail(Cause::invalid, "a shared library without program headers");
    return *header;
}

/// Sections come last in a file, so that their table inside it shows that nothing was cut off.
Result<void> check_sections(std::string_view bytes, const Elf64_Ehdr& header) {
    const auto cut = [&bytes] {
        return fail(Cause::invalid, "the file is not complete: it has {} bytes and speaks of more",
                    bytes.size());
    };
    if (header.e_shnum == 0) return {};  // stripped of them: the segments must do
    if (header.e_shentsize != sizeof(Elf64_Shdr) ||
        !is_inside(bytes, header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr)))
        return cut();
    for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
        const auto section = read_at<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr));
        if (!section) return cut();
        if (section->sh_type != SHT_NOBITS && section->sh_type != SHT_NULL &&
            !is_inside(bytes, section->sh_offset, section->sh_size))
            return cut();
        if (i == header.e_shstrndx && section->sh_type != SHT_STRTAB)
            return fail(Cause::invalid, "a damaged file: its names of sections are something else");
    }
    return {};
}

/// The text of our note among the notes in `segment`.
std::optional<std::string> find_note(std::string_view segment) {
    constexpr std::string_view owner("SGD\0", 4);
    const auto padded = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
    std::uint64_t at = 0;
    while (const auto note = read_at<Elf64_Nhdr>(segment, at)) {
        const auto name_at = at + sizeof(Elf64_Nhdr);
        const auto text_at = name_at + padded(note->n_namesz);
        if (!is_inside(segment, name_at, note->n_namesz) || !is_inside(segment, text_at, note->n_descsz))
            return std::nullopt;
        if (note->n_type == 1 && segment.substr(name_at, note->n_namesz) == owner) {
            const auto text = segment.substr(text_at, note->n_descsz);
            return std::string(text.substr(0, text.find('\0')));
        }
        at = text_at + padded(note->n_descsz);
    }
    return std::nullopt;
}

/// The value of `key` in `key=value;key=value`.
std::string_view value_of(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const auto end = text.find(';');
        const auto pair = text.substr(0, end);
        if (pair.starts_with(key) && pair.substr(key.size()).starts_with('='))
            return pair.substr(key.size() + 1);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return {};
}

struct ApiVersion {
    int major = -1;
    int minor = -1;
};
ApiVersion api_version(std::string_view text) {
    ApiVersion version;
    const auto* const end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, version.major);
    if (major.ptr != end && *major.ptr == '.') std::from_chars(major.ptr + 1, end, version.minor);
    return version;
}

}  // namespace

Result<std::string> read_abi_note(std::string_view bytes) {
    const auto header = read_header(bytes);
    if (!header) return tl::unexpected<Failure>(header.error());
    if (auto sections = check_sections(bytes, *header); !sections)
        return tl::unexpected<Failure>(sections.error());
    std::optional<std::string> text;
    for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
        const auto segment = read_at<Elf64_Phdr>(bytes, header->e_phoff + i * sizeof(Elf64_Phdr));
        if (!segment || !is_inside(bytes, segment->p_offset, segment->p_filesz))
            return fail(Cause::invalid, "the file is not complete: it has {} bytes and speaks of more",
                        bytes.size());
        if (segment->p_type == PT_NOTE && !text)
            text = find_note(bytes.substr(segment->p_offset, segment->p_filesz));
    }
    if (!text)
        return fail(Cause::invalid,
                    "a shared library, but not a plugin: it has no ABI note, which SG_PLUGIN brings");
    return *text;
}

Result<void> compare_abi(std::string_view theirs, std::string_view ours) {
    const auto their_api = api_version(value_of(theirs, "api"));
    const auto our_api = api_version(value_of(ours, "api"));
    bool fits = their_api.major == our_api.major && their_api.minor >= 0 && their_api.minor <= our_api.minor;
    std::string differs = fits ? "" : "api";
    for (const std::string_view key : {"stdlib", "sanitizer", "json"}) {
        if (value_of(theirs, key) == value_of(ours, key)) continue;
        fits = false;
        if (!differs.empty()) differs += ", ";
        differs += key;
    }
    if (fits) return {};
    return fail(
        Cause::invalid,
        "built for another daemon, see {}: the plugin has [{}], the daemon has [{}]; build the plugin "
        "again with this daemon's SDK",
        differs, theirs, ours);
}

}  // namespace sg::plugins
