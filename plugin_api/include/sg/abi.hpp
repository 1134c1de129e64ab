#pragma once
// What a plugin file says about how it was built, readable before any of its code runs.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <version>  // defines _GLIBCXX_USE_CXX11_ABI or _LIBCPP_VERSION

/// The version of this interface. Classes grow at their end only: a host runs plugins of its own
/// major version with the same or an older minor version. What header code makes of calls that are there
/// (a member of `Site` over `Site::call`) is no growth: an older daemon refuses the call by its name.
#define SG_API_MAJOR 1
#define SG_API_MINOR 2

#define SG_DETAIL_TEXT2(x) #x
#define SG_DETAIL_TEXT(x) SG_DETAIL_TEXT2(x)

#if defined(_LIBCPP_VERSION)
#define SG_DETAIL_STDLIB "libc++"
#elif defined(_GLIBCXX_DEBUG)
#define SG_DETAIL_STDLIB "libstdc++-debug"
#else
#define SG_DETAIL_STDLIB "libstdc++,cxx11=" SG_DETAIL_TEXT(_GLIBCXX_USE_CXX11_ABI)
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SG_DETAIL_SANITIZER "thread"
#elif __has_feature(address_sanitizer)
#define SG_DETAIL_SANITIZER "address"
#endif
#endif
#if !defined(SG_DETAIL_SANITIZER)
#if defined(__SANITIZE_THREAD__)
#define SG_DETAIL_SANITIZER "thread"
#elif defined(__SANITIZE_ADDRESS__)
#define SG_DETAIL_SANITIZER "address"
#else
#define SG_DETAIL_SANITIZER "none"
#endif
#endif

// Both make a JSON value larger. A program that defines either must do so for host and plugins alike.
#if defined(JSON_DIAGNOSTICS) && JSON_DIAGNOSTICS
#define SG_DETAIL_JSON_FLAVOUR ",diagnostics"
#elif defined(JSON_DIAGNOSTIC_POSITIONS) && JSON_DIAGNOSTIC_POSITIONS
#define SG_DETAIL_JSON_FLAVOUR ",positions"
#else
#define SG_DETAIL_JSON_FLAVOUR ""
#endif

/// `key=value` pairs joined by `;`. Compared: api, stdlib, sanitizer, json. Told: compiler.
#define SG_ABI_TEXT                                                                                    \
    "api=" SG_DETAIL_TEXT(SG_API_MAJOR) "." SG_DETAIL_TEXT(                                            \
        SG_API_MINOR) ";stdlib=" SG_DETAIL_STDLIB ";sanitizer=" SG_DETAIL_SANITIZER                    \
                      ";json=" SG_DETAIL_TEXT(NLOHMANN_JSON_VERSION_MAJOR) "." SG_DETAIL_TEXT(         \
                          NLOHMANN_JSON_VERSION_MINOR) "." SG_DETAIL_TEXT(NLOHMANN_JSON_VERSION_PATCH) \
                          SG_DETAIL_JSON_FLAVOUR ";compiler=" __VERSION__

namespace sg::detail {

/// An ELF note: owner `SGD`, type 1, the text above.
struct AbiNote {
    std::uint32_t owner_size, text_size, type;
    char owner[4];
    char text[(sizeof(SG_ABI_TEXT) + 3) & ~std::size_t{3}];
};

}  // namespace sg::detail

#define SG_DETAIL_EMIT_NOTE()                                                                      \
    extern "C" __attribute__((section(".note.sg.plugin"), used, aligned(4), visibility("hidden"))) \
    const ::sg::detail::AbiNote sg_plugin_note = {                                                 \
        4, sizeof(SG_ABI_TEXT), 1, {'S', 'G', 'D', 0}, SG_ABI_TEXT}
