#include "host/link/run_page.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

namespace sg::host {

void RunPage::begin(const Call& call) noexcept {
    event_.store(call.event, std::memory_order_relaxed);
    callback_.store(call.callback, std::memory_order_relaxed);
    begun_.store(call.sequence, std::memory_order_release);
}

void RunPage::keep(const Outcome& outcome, std::uint64_t number) noexcept {
    Entry& entry = ring_[number % ring_size];
    const auto us =
        std::clamp<std::int64_t>(outcome.duration.count(), 0, std::numeric_limits<std::uint32_t>::max());
    entry.event.store(outcome.event, std::memory_order_relaxed);
    entry.callback_and_result.store(static_cast<std::uint32_t>(outcome.callback) << 16 |
                                        static_cast<std::uint32_t>(outcome.cause) << 8 |
                                        static_cast<std::uint32_t>(outcome.ok ? 1 : 0),
                                    std::memory_order_relaxed);
    entry.duration_us.store(static_cast<std::uint32_t>(us), std::memory_order_relaxed);
    entry.sequence.store(number, std::memory_order_release);
    ended_.store(number, std::memory_order_release);
}

void RunPage::end(const Outcome& outcome) noexcept { keep(outcome, begun_.load(std::memory_order_relaxed)); }

void RunPage::begin_beside(const Call& call, std::size_t slot) noexcept {
    Slot& place = slots_[slot % slots];
    place.event.store(call.event, std::memory_order_relaxed);
    place.callback.store(call.callback, std::memory_order_relaxed);
    place.sequence.store(call.sequence, std::memory_order_release);
}

/// The outcome first: a call that both ended and runs has ended, for whoever reads.
void RunPage::end_beside(const Outcome& outcome, std::uint64_t number, std::size_t slot) noexcept {
    keep(outcome, number);
    slots_[slot % slots].sequence.store(0, std::memory_order_release);
}

std::vector<RunPage::Call> RunPage::all_running() const {
    std::vector<Call> out;
    if (const auto only = running()) out.push_back(*only);
    for (const auto& slot : slots_) {
        Call call;
        call.sequence = slot.sequence.load(std::memory_order_acquire);
        if (call.sequence == 0) continue;
        call.event = slot.event.load(std::memory_order_acquire);
        call.callback = static_cast<std::uint16_t>(slot.callback.load(std::memory_order_acquire));
        // Read again: where the writer has gone on meanwhile, this call has ended.
        if (slot.sequence.load(std::memory_order_acquire) == call.sequence) out.push_back(call);
    }
    return out;
}

std::optional<RunPage::Call> RunPage::running() const noexcept {
    Call call;
    call.sequence = begun_.load(std::memory_order_acquire);
    call.event = event_.load(std::memory_order_acquire);
    call.callback = static_cast<std::uint16_t>(callback_.load(std::memory_order_acquire));
    // Read last: where the writer has gone on meanwhile, this call has ended.
    if (ended_.load(std::memory_order_acquire) >= call.sequence) return std::nullopt;
    return call;
}

std::vector<Outcome> RunPage::ended_after(std::uint64_t received) const {
    std::vector<Outcome> out;
    const auto last = ended();
    if (last <= received || last - received > ring_size) return out;
    for (auto sequence = received; sequence++ != last;) {
        const Entry& entry = ring_[sequence % ring_size];
        if (entry.sequence.load(std::memory_order_acquire) != sequence) break;
        const auto packed = entry.callback_and_result.load(std::memory_order_relaxed);
        Outcome outcome;
        outcome.event = entry.event.load(std::memory_order_relaxed);
        outcome.callback = static_cast<std::uint16_t>(packed >> 16);
        const auto cause = static_cast<std::uint8_t>(packed >> 8);
        outcome.cause = static_cast<Cause>(std::min(cause, static_cast<std::uint8_t>(Cause::internal)));
        outcome.ok = (packed & 0xff) == 1;
        outcome.duration = std::chrono::microseconds(entry.duration_us.load(std::memory_order_relaxed));
        if (!outcome.ok) outcome.error = "failed; the host ended before it could say why";
        out.push_back(std::move(outcome));
    }
    return out;
}

void SharedRunPage::Unmap::operator()(RunPage* page) const noexcept { ::munmap(page, sizeof(RunPage)); }

Result<SharedRunPage> SharedRunPage::make() {
    SharedRunPage shared;
    shared.fd_.reset(::memfd_create("sgeventd-run", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!shared.fd_ || ::ftruncate(shared.fd_.get(), sizeof(RunPage)) != 0)
        return fail(Cause::internal, "cannot make a page of shared memory: {}", std::strerror(errno));
    // A plugin that shrinks the file would make the daemon's reads fault.
    if (::fcntl(shared.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return fail(Cause::internal, "cannot seal a page of shared memory: {}", std::strerror(errno));
    void* at = ::mmap(nullptr, sizeof(RunPage), PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd_.get(), 0);
    if (at == MAP_FAILED)
        return fail(Cause::internal, "cannot map a page of shared memory: {}", std::strerror(errno));
    shared.page_.reset(new (at) RunPage);
    return shared;
}

Result<SharedRunPage> SharedRunPage::open(UniqueFd fd) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || status.st_size != static_cast<off_t>(sizeof(RunPage)))
        return fail(Cause::invalid, "not a run page");
    void* at = ::mmap(nullptr, sizeof(RunPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (at == MAP_FAILED) return fail(Cause::invalid, "cannot map the run page: {}", std::strerror(errno));
    SharedRunPage shared;
    shared.fd_ = std::move(fd);
    shared.page_.reset(static_cast<RunPage*>(at));
    if (shared.page_->magic != RunPage::magic_value) return fail(Cause::invalid, "not a run page");
    return shared;
}

}  // namespace sg::host
