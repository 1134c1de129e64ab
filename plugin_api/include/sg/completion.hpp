#pragma once
// How the end of a call reaches the host.

#include <exception>

namespace sg {

/// Told once, by anyone, on any thread, how a call of a callback ended.
class Completion {
public:
    virtual void succeeded() noexcept = 0;

    /// `why` is read and let go before this returns: it may point into the plugin.
    virtual void failed(std::exception_ptr why) noexcept = 0;

protected:
    ~Completion() = default;
};

}  // namespace sg
