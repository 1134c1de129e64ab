// Has the note of a plugin, and no entry.
#include <sg/abi.hpp>

SG_DETAIL_EMIT_NOTE();
