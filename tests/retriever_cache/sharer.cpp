// One of several processes that share a cache: sharer ROOT SEED.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>

#include "retriever/file_cache.hpp"
#include "retriever_cache/shared_urls.hpp"

using namespace sg;
using namespace sg::test;
using namespace sg::retriever;

namespace {

/// In pieces, as it comes over a network.
Result<Fetched> fetch(const std::filesystem::path& to, int i, std::string final_url) {
    const auto& bytes = shared_content(i);
    std::ofstream out(to, std::ios::binary);
    for (std::size_t at = 0; at < bytes.size(); at += 1'000)
        out << std::string_view(bytes).substr(at, 1'000) << std::flush;
    return Fetched{std::move(final_url), "image/png", bytes.size(), bytes.size()};
}

}  // namespace

int main(int, char** argv) {
    FileCache cache({.root = argv[1]});
    std::mt19937 random(static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)));
    for (int n = 0; n < shared_urls * shared_rounds; ++n) {
        const int i = static_cast<int>(random() % shared_urls);
        const auto url = shared_url(i) + std::to_string(random());
        const auto found = cache.find(url);
        const bool refresh = random() % 25 == 0;
        Result<std::filesystem::path> path = fail(Cause::internal, "none");
        if (!found)
            path = tl::unexpected(found.error());
        else if (*found && !refresh)
            path = **found;
        else
            path = cache.store(url, [&](auto& to, auto) { return fetch(to, i, url); });
        if (!path) return std::fprintf(stderr, "%s\n", path.error().message.c_str()), 1;
        std::ifstream in(*path, std::ios::binary);
        std::ostringstream read;
        read << in.rdbuf();
        if (read.str() != shared_content(i)) return std::fprintf(stderr, "%s is wrong\n", path->c_str()), 1;
        if (random() % 50 == 0) (void)cache.clean();
    }
    return 0;
}
