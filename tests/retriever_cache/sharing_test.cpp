// Several processes and threads on one cache.

#include <memory>
#include <thread>

#include "e2e/process.hpp"
#include "retriever_cache/fixture.hpp"
#include "retriever_cache/shared_urls.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T163 eight processes share a cache, and each file they read is whole and right") {
    CacheRig rig;
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < shared_processes; ++i)
        processes.push_back(std::make_unique<Process>(
            std::vector<std::string>{SG_CACHE_SHARER, rig.root.string(), std::to_string(i + 1)},
            std::vector<std::string>{}, rig.dir / "out", rig.dir / "err"));
    for (auto& process : processes) {
        const auto ended = process->wait(std::chrono::minutes(4));
        INFO(content(rig.dir / "err"));
        REQUIRE(ended);
        CHECK(*ended == Ended{0, 0});
    }
    CHECK(fs::is_empty(rig.root / "tmp"));
    CHECK(rig.files().size() == shared_urls);
    for (int i = 0; i < shared_urls; ++i) {
        const auto found = rig.cache->find(shared_url(i));
        REQUIRE(found);
        REQUIRE(*found);
        CHECK(content(**found) == shared_content(i));
    }
}

TEST_CASE("threads that find, store and clean at once get whole files") {
    CacheRig rig;
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            Source source({std::string(20'000, 'x'), "/x.jpg"});
            for (int i = 0; i < 200; ++i) {
                const auto url = "/thread/" + std::to_string(i % 5);
                const auto path = (i + t) % 3 == 0 ? rig.cache->store(url, source) : rig.request(url, source);
                if (!path || content(*path) != source.answer.bytes) ++wrong;
                if ((i + t) % 17 == 0 && !rig.cache->clean()) ++wrong;
            }
        });
    threads.clear();
    CHECK(wrong == 0);
    CHECK(rig.files().size() == 5);
}
