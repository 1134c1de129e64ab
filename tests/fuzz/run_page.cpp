// The page of shared memory that a plugin may scribble over.

#include <sys/mman.h>
#include <cstring>

#include "fuzz/fuzz.hpp"
#include "host/link/run_page.hpp"

using namespace sg;
using namespace sg::host;

void fuzz(std::string_view input) {
    std::uint64_t received = 0;
    if (input.size() < sizeof received) return;
    std::memcpy(&received, input.data(), sizeof received);
    input.remove_prefix(sizeof received);

    static const auto shared = SharedRunPage::make().value();
    static char* const bytes = static_cast<char*>(
        ::mmap(nullptr, sizeof(RunPage), PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd(), 0));
    SG_MUST(bytes != MAP_FAILED);
    // Behind the magic number all of it, as often as it fits: the ring behind the head is never reached else.
    constexpr auto begin = sizeof(std::uint64_t);
    std::memset(bytes + begin, 0, sizeof(RunPage) - begin);
    for (std::size_t at = begin; !input.empty() && at < sizeof(RunPage); at += input.size())
        input.copy(bytes + at, sizeof(RunPage) - at);

    const auto& page = shared.page();
    if (const auto running = page.running()) SG_MUST(running->sequence > page.ended());
    const auto ended = page.ended_after(received);
    SG_MUST(ended.size() <= RunPage::ring_size);
    if (!ended.empty()) SG_MUST(ended.size() <= page.ended() - received);
    for (const auto& outcome : ended)
        SG_MUST(outcome.cause <= Cause::internal && outcome.duration.count() >= 0);
}
