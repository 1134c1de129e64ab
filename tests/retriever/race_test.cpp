// Ends that race with one another.

#include "retriever/fixture.hpp"
#include "seed.hpp"

using namespace sg;
using namespace sg::test;

namespace {

std::mt19937 seeded() { return std::mt19937(seed_of_run()); }
unsigned below(std::mt19937& random, unsigned end) { return static_cast<unsigned>(random() % end); }
void spin(unsigned times) {
    std::atomic<unsigned> n{0};
    while (n < times) ++n;
}
Method nothing() {
    return [](Site&, const json&, const json&) { return json(); };
}
bool has_ended(const Request& request) { return request.future().wait_for(30s) == std::future_status::ready; }

}  // namespace

TEST_CASE("T194: a clear on another thread ends each request once, and running downloads finish") {
    Rig rig(4);
    std::vector<std::pair<sandbox::Id, std::string>> pictures;
    for (int i = 0; i < 4; ++i) pictures.push_back(rig.studio.thumbnail("picture " + std::to_string(i)));
    const auto data = rig.make();
    const Heard heard(*data);
    const auto gate = rig.hold("storage_get", 4);
    std::vector<Request> running, queued;
    for (const auto& [version, url] : pictures)
        running.push_back(data->request_thumbnail(url, "Version", version, "image"));
    REQUIRE(gate->wait_held(4));
    for (int i = 0; i < 1000; ++i)
        queued.push_back(data->request_thumbnail(rig.studio.site.url() + "/no/" + std::to_string(i) + ".jpg",
                                                 "Version", 1, std::nullopt));
    std::size_t cleared = 0;
    std::thread clearer([&] { cleared = data->clear(); });
    clearer.join();
    gate->open();
    CHECK(cleared == 1000);
    REQUIRE(rig.until([&] { return heard.size() >= 1004; }));
    CHECK(rig.loop.poll() == 0);
    CHECK(heard.size() == 1004);
    for (const auto& request : running) CHECK(heard.of(request) == "c");
    const auto kinds = heard.kinds();
    CHECK(std::count(kinds.begin(), kinds.end(), 'x') == 1000);
}

TEST_CASE("checks that race with clears end each once, with or without a download") {
    Rig rig(4);
    const auto data = rig.make();
    const Heard heard(*data);
    auto random = seeded();
    std::vector<Request> all;
    std::size_t cleared = 0;
    for (int round = 0; round < 200; ++round) {
        for (int i = 0; i < 5; ++i)
            all.push_back(data->request_thumbnail(
                rig.studio.site.url() + "/no/" + std::to_string(round) + ".jpg", "Version", 1, std::nullopt));
        spin(below(random, 20'000));
        cleared += data->clear();
        rig.loop.poll();
    }
    REQUIRE(rig.until([&] { return heard.size() >= all.size(); }));
    CHECK(rig.loop.poll() == 0);
    CHECK(heard.size() == all.size());
    const auto kinds = heard.kinds();
    CHECK(static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), 'x')) >= cleared);
    CHECK(rig.cache.downloads().count() == 0);
}

TEST_CASE("T195: requests from four threads throw or resolve when the retriever stops, and nothing follows") {
    Rig rig;
    auto random = seeded();
    tasks::Options options;
    options.max_threads = 4;
    for (int round = 0; round < 500; ++round) {
        rig.manager = tasks::make_task_manager(options);  // with a thread of its own for slots
        auto data = rig.make();
        std::atomic<bool> has_stopped{false};
        std::atomic<int> late{0};
        const auto connection = data->on_work_completed([&](Uid, const std::string&, const json&) {
            if (has_stopped) ++late;
        });
        std::vector<std::vector<Request>> requests(4);
        std::atomic<int> others{0};
        std::vector<std::thread> askers;
        for (auto& own : requests)
            askers.emplace_back([&] {
                try {
                    for (int i = 0; i < 25 || !has_stopped; ++i) {
                        if (i < 25) own.push_back(data->execute_method(nothing()));
                    }
                } catch (const Closed&) {
                    return;
                } catch (...) {
                    ++others;
                }
            });
        spin(below(random, 20'000));
        data->stop();
        has_stopped = true;
        for (auto& asker : askers) asker.join();
        bool all_ended = true;
        for (const auto& own : requests)
            for (const auto& request : own) all_ended = all_ended && has_ended(request);
        REQUIRE(all_ended);
        REQUIRE(others == 0);
        data.reset();
        rig.manager.reset();
        REQUIRE(late == 0);
    }
}

TEST_CASE("T196: a joined download that finishes as its last request stops leaves a whole file or none") {
    Rig rig(2);
    const auto [version, url] = rig.studio.thumbnail(std::string(20'000, 'p'));
    const auto data = rig.make();
    const Heard heard(*data);
    auto random = seeded();
    std::size_t asked = 0;
    for (int round = 0; round < 2000; ++round) {
        const std::vector<Request> pair{data->request_thumbnail(url, "Version", version, "image"),
                                        data->request_thumbnail(url + "?s", "Version", version, "image")};
        asked += pair.size();
        if (round % 2 == 0)
            wait_for(
                [&] { return rig.cache.downloads().joined() > 0 || pair[0].state() > TaskState::running; });
        spin(below(random, 300'000));
        for (const auto& request : pair) request.stop();
        for (const auto& request : pair) REQUIRE(has_ended(request));
        REQUIRE(rig.until([&] { return heard.size() == asked && rig.manager->stats().running == 0; }));
        std::error_code ignored;
        const auto thumbs = rig.root / "cache" / "thumbs";
        for (fs::recursive_directory_iterator it(thumbs, ignored), end; it != end; it.increment(ignored))
            if (it->is_regular_file()) {
                REQUIRE(it->file_size() == 20'000);
                fs::remove(it->path());
            }
    }
    CHECK(rig.cache.downloads().count() == 0);
    for (const auto& entry : fs::directory_iterator(rig.root / "cache" / "tmp")) FAIL(entry.path().string());
}

TEST_CASE("T199: two retrievers and their manager are destroyed in every order with work under way") {
    Rig rig;
    const auto [version, url] = rig.studio.thumbnail("picture");
    std::vector<int> order{0, 1, 2};
    do {
        for (int round = 0; round < 200; ++round) {
            rig.manager = rig.make_manager(2);
            std::vector<std::unique_ptr<DataRetriever>> both;
            both.push_back(rig.make());
            both.push_back(rig.make());
            std::vector<Request> all;
            for (const auto& data : both) {
                for (int i = 0; i < 5; ++i) all.push_back(data->execute_method(nothing()));
                all.push_back(data->request_thumbnail(url, "Version", version, "image",
                                                      {Image::load, CachePolicy::refresh}));
            }
            if (round % 2 == 0) rig.loop.poll();
            for (const int which : order) {
                if (which == 2)
                    rig.manager.reset();
                else
                    both[static_cast<std::size_t>(which)].reset();
            }
            for (const auto& request : all) REQUIRE(has_ended(request));
            rig.loop.poll();
        }
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(rig.cache.downloads().count() == 0);
    CHECK(rig.errors == 0);
}
