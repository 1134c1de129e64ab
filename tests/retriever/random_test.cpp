// Everything at once, at random. SG_TEST_SEED repeats a run, SG_TEST_OPERATIONS says how much of it.

#include "retriever/fixture.hpp"
#include "seed.hpp"

using namespace sg;
using namespace sg::test;

namespace {

constexpr std::size_t most_pending = 300, most_pictures = 12;

struct Storm : Rig {
    Storm() {
        for (std::size_t i = 0; i < most_pictures; ++i)
            pictures.push_back(studio.thumbnail("picture " + std::to_string(i)));
        tasks::Options options;
        options.start_processing = true;
        options.max_threads = 4;
        options.max_pending = most_pending;
        options.clock = clock;
        options.executor = loop.executor();
        options.on_error = [this](std::exception_ptr) { ++errors; };
        manager = tasks::make_task_manager(std::move(options));
        data = make();
        heard.emplace(*data);
    }
    struct Asked {
        Request request;
        std::optional<std::size_t> picture{};  ///< whose bytes its file has
    };

    /// One thread's part of it.
    void blow(unsigned thread, int operations) {
        std::mt19937 random(seed + thread);
        for (int i = 0; i < operations; ++i) try {
                one(random, asked[thread]);
            } catch (const QueueFull&) {
                ++refused;
            } catch (const std::exception& error) {
                must(false, error.what());
            }
    }
    void one(std::mt19937& random, std::vector<Asked>& own);
    void ask(std::mt19937& random, std::vector<Asked>& own);
    Async await(Request request);

    /// Threads may not use the macros.
    void must(bool holds, const char* promise) {
        if (holds) return;
        std::lock_guard lock(mutex);
        broken.emplace_back(promise);
    }

    const unsigned seed = seed_of_run();
    std::vector<std::pair<sandbox::Id, std::string>> pictures;
    std::unique_ptr<DataRetriever> data;
    std::optional<Heard> heard;
    std::vector<std::vector<Asked>> asked{8};
    std::atomic<std::size_t> refused{0}, awaits{0}, resumes{0};
    std::mutex mutex;
    std::vector<std::string> broken;
};

void Storm::ask(std::mt19937& random, std::vector<Asked>& own) {
    const auto what = random() % 100;
    if (what < 3) {
        own.push_back({data->execute_find(args_of_find())});
    } else if (what < 45) {
        own.push_back({data->execute_method(
            [fails = what < 6](Site&, const json& args, const json&) -> json {
                if (fails) throw std::runtime_error("at random");
                return args;
            },
            json::array({what}))});
    } else if (what < 50) {
        own.push_back({data->request_thumbnail(std::nullopt, "Version", 1, std::nullopt)});
    } else {
        const auto which = random() % most_pictures;
        const auto& [version, url] = pictures[which];
        const auto policy = random() % 10 == 0 ? CachePolicy::refresh : CachePolicy::use;
        own.push_back({data->request_thumbnail(url + "?s=" + std::to_string(random() % 3), "Version", version,
                                               "image", {Image::path_only, policy}),
                       which});
    }
}

Async Storm::await(Request request) {
    ++awaits;
    try {
        co_await request;
    } catch (const std::exception&) {
        must(request.state() != TaskState::completed, "what has completed gives its reply");
    }
    ++resumes;
}

void Storm::one(std::mt19937& random, std::vector<Asked>& own) {
    const auto what = random() % 100;
    if (what < 65 || own.empty()) return ask(random, own);
    const auto& some = own[random() % own.size()].request;
    if (what < 80) {
        data->stop_work(some);
    } else if (what < 86) {
        static_cast<void>(some.future());
    } else if (what < 94) {
        await(some).detach();
    } else if (what < 96) {
        const auto connection = data->on_work_cancelled([](Uid) {});
    } else if (what < 97) {
        const auto which = random() % most_pictures;
        const auto file = data->download_thumbnail(pictures[which].second);
        must(bytes_of(file) == "picture " + std::to_string(which), "a helper's file is whole");
    } else if (what < 98) {
        clock->advance(1ms);
    } else if (random() % 20 == 0) {
        must(cache.clean().has_value(), "a cache in use can be cleaned");
    } else if (random() % 20 == 0) {
        data->clear();
    }
}

}  // namespace

TEST_CASE("a hundred thousand random requests and stops from eight threads keep every promise") {
    const int operations = operations_of_run(rounds(100'000));
    Storm storm;
    on_eight_threads([&](unsigned thread) { storm.blow(thread, operations / 8); },
                     [&] { storm.loop.poll(); });
    std::size_t count = 0;
    for (const auto& own : storm.asked) count += own.size();
    const bool is_done =
        storm.until([&] { return storm.heard->size() >= count && storm.resumes == storm.awaits; });
    const auto left = storm.manager->stats();
    CAPTURE(count, storm.heard->size(), storm.awaits, storm.resumes, left.waiting, left.ready, left.running,
            left.discarded_running, left.undelivered, left.threads);
    REQUIRE(is_done);
    CHECK(storm.loop.poll() == 0);

    std::map<Uid, std::string> ends;
    for (const auto& one : storm.heard->all()) ends[one.uid] += one.kind;
    CHECK(ends.size() == count);
    std::size_t wrong = 0;
    for (const auto& own : storm.asked)
        for (const auto& [request, picture] : own) {
            if (ends[request].size() != 1) ++wrong;
            if (request.future().wait_for(0s) != std::future_status::ready) ++wrong;
            if (picture && ends[request] == "c" &&
                bytes_of(request.get().path().value_or("none")) != "picture " + std::to_string(*picture))
                ++wrong;
        }
    CHECK(wrong == 0);
    CHECK(storm.broken == std::vector<std::string>());
    CHECK(storm.studio.counts->overlaps == 0);
    CHECK(storm.studio.counts->prototype_calls == 0);
    CHECK(storm.cache.downloads().count() == 0);
    CHECK(storm.errors == 0);
    CHECK(fs::is_empty(storm.root / "cache" / "tmp"));
    std::cout << count << " requests, " << storm.refused << " refused, " << storm.awaits << " awaited, "
              << storm.studio.site.request_count() << " reached the site\n";
}
