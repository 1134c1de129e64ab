#include "host/link/shared_text.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstring>

namespace sg::host {

Result<std::shared_ptr<const SharedText>> SharedText::make(std::string_view text) {
    const auto refused = [] {
        return fail(Cause::internal, "cannot share a page of events: {}", std::strerror(errno));
    };
    auto shared = std::make_shared<SharedText>();
    shared->fd_.reset(::memfd_create("sgeventd-events", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!shared->fd_) return refused();
    shared->size_ = text.size();
    while (!text.empty()) {
        const auto n = ::write(shared->fd_.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return refused();
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fcntl(shared->fd_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
        0)
        return refused();
    return std::shared_ptr<const SharedText>(std::move(shared));
}

Result<std::shared_ptr<const MappedText>> MappedText::map(UniqueFd fd, std::size_t size) {
    struct stat status {};
    if (size == 0 || ::fstat(fd.get(), &status) != 0 || status.st_size != static_cast<off_t>(size) ||
        (::fcntl(fd.get(), F_GET_SEALS) & F_SEAL_SHRINK) == 0)
        return fail(Cause::bad_answer, "not the text of a page");
    // Private, because older kernels do not share what is sealed; nobody writes, so nothing is copied.
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (at == MAP_FAILED)
        return fail(Cause::internal, "cannot map the text of a page: {}", std::strerror(errno));
    return std::make_shared<const MappedText>(static_cast<const char*>(at), size);
}

MappedText::~MappedText() { ::munmap(const_cast<char*>(at_), size_); }

std::shared_ptr<const SharedText> SharedPages::text_of(const event::PagePtr& page) {
    for (const auto& kept : kept_)
        if (kept.text && is_same(kept.page, page)) return kept.text;
    auto made = SharedText::make(page->text());
    if (!made) return nullptr;
    kept_[next_] = {page, *made};
    next_ = (next_ + 1) % kept_.size();
    return *made;
}

}  // namespace sg::host
