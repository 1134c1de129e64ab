// Whose code requests hold.

#include <dlfcn.h>

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T139: nothing of a library is called or destroyed once it is unloaded, with requests under way") {
    Rig rig(4);
    const auto url = rig.studio.site.url() + "/no/";
    int calls = 0;
    for (int round = 0; round < 200; ++round) {
        auto data = rig.make();
        void* const library = ::dlopen(SG_SLOTS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
        REQUIRE(library != nullptr);
        const auto begin = reinterpret_cast<void* (*)(DataRetriever&, TaskManager&, const char*)>(
            ::dlsym(library, "sg_test_begin"));
        const auto let_go = reinterpret_cast<int (*)(void*)>(::dlsym(library, "sg_test_let_go"));
        const auto stop = reinterpret_cast<void (*)(void*, TaskManager&)>(::dlsym(library, "sg_test_stop"));
        REQUIRE((begin != nullptr && let_go != nullptr && stop != nullptr));
        auto* const use = begin(*data, *rig.manager, url.c_str());
        for (int i = 0; i < round % 5; ++i) {
            rig.loop.poll();
            std::this_thread::yield();
        }
        data->stop();
        stop(use, *rig.manager);
        REQUIRE(wait_for([&] {
            const auto stats = rig.manager->stats();
            return stats.running + stats.discarded_running == 0;
        }));
        calls += let_go(use);
        ::dlclose(library);
        REQUIRE(::dlopen(SG_SLOTS_LIBRARY, RTLD_NOW | RTLD_NOLOAD) == nullptr);
        rig.loop.poll();
        data.reset();
        rig.loop.poll();
    }
    CHECK(calls > 0);
    CHECK(rig.errors == 0);
}
