#pragma once
// A request that the site answers with a fault.

#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg::sandbox {

/// Thrown wherever a request turns out to be wrong, however deep in a filter or a value, and
/// caught at the one door in rpc.cpp, which makes it the fault envelope.
class Refusal : public std::runtime_error {
public:
    Refusal(int error_code, const std::string& message) : std::runtime_error(message), code(error_code) {}
    int code;
};

constexpr int fault_authentication = 102;
constexpr int fault_invalid = 103;
constexpr int fault_crud = 104;

template <class... Args>
[[noreturn]] void refuse(int code, fmt::format_string<Args...> format, Args&&... args) {
    throw Refusal(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sg::sandbox
