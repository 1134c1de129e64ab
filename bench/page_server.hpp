#pragma once
// A site that has rendered all its pages beforehand, so that it is never what is measured.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sg::bench {

/// Serves ids 1…`events`, each row about 1 kB, 500 to a page, in a child process of its own: its CPU
/// is nobody's business. Answers `info`, the newest id, and reads after an id; whatever else is asked for
/// with GET is a file of `file_bytes`.
class PageServer {
public:
    explicit PageServer(std::int64_t events, std::size_t file_bytes = 0);
    ~PageServer();
    PageServer(const PageServer&) = delete;
    PageServer& operator=(const PageServer&) = delete;

    std::string url() const;

    static constexpr std::int64_t page_size = 500;

private:
    int pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace sg::bench
