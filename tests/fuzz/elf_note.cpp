// Files that lie where plugins do.

#include <sg/abi.hpp>

#include "fuzz/fuzz.hpp"
#include "plugins/elf_check.hpp"

using namespace sg::plugins;

void fuzz(std::string_view input) {
    const auto note = read_abi_note(input);
    if (!note) return SG_MUST(!note.error().message.empty());
    const auto fits = compare_abi(*note, SG_ABI_TEXT);
    if (fits) return SG_MUST(compare_abi(SG_ABI_TEXT, SG_ABI_TEXT));
    SG_MUST(fits.error().message.find(SG_ABI_TEXT) != std::string::npos);
}
