#pragma once
// The text of event pages in memory that hosts can look into, so that it need not be copied to each.

#include <array>
#include <memory>
#include <string_view>

#include "event/event_page.hpp"
#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::host {

/// A text in a memfd that is sealed: nobody can change it any more, also not a host that was handed
/// the descriptor.
class SharedText {
public:
    /// Errors: `internal`, when the system refuses memory or a descriptor.
    static Result<std::shared_ptr<const SharedText>> make(std::string_view text);

    int fd() const noexcept { return fd_.get(); }
    std::size_t size() const noexcept { return size_; }

private:
    UniqueFd fd_;
    std::size_t size_ = 0;
};

/// The same text as a host sees it. Costs address space until somebody looks.
class MappedText {
public:
    /// Errors: `bad_answer`, when what is behind `fd` is not a sealed text of that size;
    /// `internal`, when the system refuses to map it.
    static Result<std::shared_ptr<const MappedText>> map(UniqueFd fd, std::size_t size);

    MappedText(const char* at, std::size_t size) noexcept : at_(at), size_(size) {}
    ~MappedText();
    MappedText(const MappedText&) = delete;
    MappedText& operator=(const MappedText&) = delete;

    std::string_view text() const noexcept { return {at_, size_}; }

private:
    const char* at_;
    std::size_t size_;
};

/// Shares each page once for all hosts. The last few are kept, since lanes follow each other
/// through the same pages; one that is asked for again later is made again.
///
/// Threads: the loop's thread only.
class SharedPages {
public:
    /// The page's text; none if the system refuses, then events travel with their bytes.
    std::shared_ptr<const SharedText> text_of(const event::PagePtr& page);

private:
    struct Kept {
        std::weak_ptr<const event::EventPage> page;
        std::shared_ptr<const SharedText> text;
    };
    std::array<Kept, 8> kept_;
    std::size_t next_ = 0;
};

/// Whether both are the same page; a page that is gone is like no other.
inline bool is_same(const std::weak_ptr<const event::EventPage>& kept, const event::PagePtr& page) noexcept {
    return !kept.owner_before(page) && !page.owner_before(kept);
}

}  // namespace sg::host
