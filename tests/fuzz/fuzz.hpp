#pragma once
// What fuzzers have in common.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

inline void must(bool holds, const char* what, const char* file, int line) {
    if (holds) return;
    std::fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    std::abort();
}
/// What must hold whatever the input: libFuzzer keeps the input that breaks it.
#define SG_MUST(condition) ::must(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

/// One input: runs what is fuzzed.
void fuzz(std::string_view input);

// Not inline, or nothing would make the compiler keep it: each program includes this once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz({reinterpret_cast<const char*>(data), size});
    return 0;
}
