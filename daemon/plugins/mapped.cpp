#include "plugins/mapped.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace sg::plugins {
namespace {

namespace fs = std::filesystem;

template <class T>
std::optional<T> record(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
    T value;  // copied: nothing says that it is aligned in the file
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

template <class Visit>
void each_section(std::string_view bytes, Visit visit) {
    const auto header = record<Elf64_Ehdr>(bytes, 0);
    if (!header || bytes.substr(0, SELFMAG) != std::string_view(ELFMAG, SELFMAG)) return;
    for (std::uint64_t i = 0; i < header->e_shnum; ++i)
        if (const auto section = record<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr)))
            visit(*header, *section);
}

std::string name_at(std::string_view bytes, const Elf64_Shdr& names, std::uint64_t offset) {
    if (offset >= names.sh_size || names.sh_offset + offset >= bytes.size()) return "?";
    const auto rest = bytes.substr(names.sh_offset + offset);
    return std::string(rest.substr(0, std::min<std::size_t>(rest.find('\0'), 200)));
}

/// The first symbol that the library defines as unique in a process; empty: there is none.
std::string unique_symbol(std::string_view bytes) {
    std::string found;
    each_section(bytes, [&](const Elf64_Ehdr& header, const Elf64_Shdr& section) {
        if (section.sh_type != SHT_DYNSYM || !found.empty()) return;
        const auto names = record<Elf64_Shdr>(bytes, header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
        for (std::uint64_t at = 0; names && at + sizeof(Elf64_Sym) <= section.sh_size;
             at += sizeof(Elf64_Sym)) {
            const auto symbol = record<Elf64_Sym>(bytes, section.sh_offset + at);
            if (!symbol) return;
            if (ELF64_ST_BIND(symbol->st_info) != STB_GNU_UNIQUE || symbol->st_shndx == SHN_UNDEF) continue;
            found = name_at(bytes, *names, symbol->st_name);
            return;
        }
    });
    return found;
}

std::vector<std::string> needed_names(std::string_view bytes, bool& is_linked_so) {
    std::vector<std::string> needed;
    each_section(bytes, [&](const Elf64_Ehdr& header, const Elf64_Shdr& section) {
        if (section.sh_type != SHT_DYNAMIC) return;
        const auto names = record<Elf64_Shdr>(bytes, header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
        for (std::uint64_t at = 0; names && at + sizeof(Elf64_Dyn) <= section.sh_size;
             at += sizeof(Elf64_Dyn)) {
            const auto entry = record<Elf64_Dyn>(bytes, section.sh_offset + at);
            if (!entry || entry->d_tag == DT_NULL) return;
            if (entry->d_tag == DT_FLAGS_1) is_linked_so = (entry->d_un.d_val & DF_1_NODELETE) != 0;
            if (entry->d_tag == DT_NEEDED) needed.push_back(name_at(bytes, *names, entry->d_un.d_val));
        }
    });
    return needed;
}

struct Mapped {
    fs::path file;
    std::string bytes;
    std::vector<std::string> needed;
    bool is_linked_so = false;
};

std::vector<fs::path> mapped_below(const fs::path& directory) {
    struct Search {
        std::string start;
        std::vector<fs::path> found{};
    } search{directory.string() + "/"};
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            auto& wanted = *static_cast<Search*>(data);
            if (std::string_view(info->dlpi_name).starts_with(wanted.start))
                wanted.found.emplace_back(info->dlpi_name);
            return 0;
        },
        &search);
    return search.found;
}

std::string reason_of(const Mapped& library, const std::vector<Mapped>& all) {
    if (const auto symbol = unique_symbol(library.bytes); !symbol.empty())
        return fmt::format(
            "it has symbols that are unique in a process (STB_GNU_UNIQUE), such as {}: build it with "
            "-fno-gnu-unique, as sg_add_plugin does",
            symbol);
    if (library.is_linked_so) return "it was linked to stay (-z nodelete)";
    const auto name = library.file.filename().string();
    for (const auto& other : all)
        if (std::find(other.needed.begin(), other.needed.end(), name) != other.needed.end())
            return fmt::format("{} needs it, and stays", other.file.filename().string());
    return "a thread of its own has not ended and holds a thread_local object of it; it can go when that "
           "ends";
}

}  // namespace

std::vector<StillMapped> still_mapped(const fs::path& directory) {
    std::vector<Mapped> all;
    for (const auto& file : mapped_below(directory)) {
        auto& library = all.emplace_back();
        library.file = file;
        std::ifstream in(file, std::ios::binary);
        library.bytes.assign(std::istreambuf_iterator<char>(in), {});
        library.needed = needed_names(library.bytes, library.is_linked_so);
    }
    std::vector<StillMapped> out;
    for (const auto& library : all) out.push_back({library.file, reason_of(library, all)});
    return out;
}

}  // namespace sg::plugins
