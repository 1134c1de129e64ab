#pragma once
// A function connected to a signal.

#include <memory>
#include <utility>

namespace sg {

/// Disconnects when destroyed. May outlive what it is connected to.
///
/// Once it is disconnected the function is not called any more and its captures are gone. On a
/// thread other than the one that runs it, that waits for a call in progress.
class [[nodiscard]] Connection {
public:
    class Slot {
    public:
        virtual ~Slot() = default;
        virtual void disconnect() noexcept = 0;
    };

    Connection() = default;
    explicit Connection(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
    Connection(Connection&&) noexcept = default;
    Connection& operator=(Connection&& other) noexcept {
        if (this != &other) {
            disconnect();
            slot_ = std::move(other.slot_);
        }
        return *this;
    }
    ~Connection() { disconnect(); }

    void disconnect() noexcept {
        if (const auto slot = std::exchange(slot_, nullptr)) slot->disconnect();
    }

    /// Stays connected for the life of the emitter.
    void keep() noexcept { slot_.reset(); }

private:
    std::shared_ptr<Slot> slot_;
};

}  // namespace sg
