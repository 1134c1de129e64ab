#pragma once
// Holding up a thread, and looking at what it throws.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "wait_for.hpp"

namespace sg::test {

/// Something that is entered and waits to be opened. Copies share.
class Gate {
public:
    void pass() const {
        std::unique_lock lock(state_->mutex);
        ++state_->entered;
        state_->changed.wait(lock, [&] { return state_->is_open; });
    }
    void open() const {
        std::lock_guard lock(state_->mutex);
        state_->is_open = true;
        state_->changed.notify_all();
    }
    int entered() const {
        std::lock_guard lock(state_->mutex);
        return state_->entered;
    }
    bool wait_entered(int times = 1) const {
        return wait_for([&] { return entered() >= times; });
    }
    /// A task, or a method of a retriever, that passes here.
    auto work(nlohmann::json result = nullptr) const {
        return [gate = *this, result = std::move(result)](const auto&...) {
            gate.pass();
            return result;
        };
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool is_open = false;
        int entered = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

template <class Exception, class F>
bool throws(F call) {
    try {
        call();
    } catch (const Exception&) {
        return true;
    } catch (...) {
        return false;
    }
    return false;
}

template <class F>
std::string text_of(F call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

}  // namespace sg::test
