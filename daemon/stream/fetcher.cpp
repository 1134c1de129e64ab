#include "stream/fetcher.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "util/thread.hpp"

namespace sg::stream {

class Fetcher::Shared : public std::enable_shared_from_this<Shared> {
public:
    Shared(Loop& loop, EventReader& reader) : loop_(loop), reader_(reader) {}

    void start(std::size_t live, std::size_t others) {
        for (std::size_t i = 1; i <= live; ++i) start("sg-poll-", i, live_);
        for (std::size_t i = 1; i <= others; ++i) start("sg-fetch-", i, others_);
    }

    void submit(For whom, EventQuery query, std::function<void(Result<Answer>)> done,
                std::stop_token cancel) {
        {
            std::lock_guard lock(mutex_);
            auto& jobs = whom == For::live ? live_ : others_;
            Job job{std::move(query), std::move(done), std::move(cancel)};
            if (whom == For::gaps)
                jobs.push_front(std::move(job));
            else
                jobs.push_back(std::move(job));
        }
        filled_.notify_all();
    }

    void stop() {
        stopped_ = true;
        for (auto& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    struct Job {
        EventQuery query;
        std::function<void(Result<Answer>)> done;
        std::stop_token cancel;
    };

    void start(const char* name, std::size_t number, std::deque<Job>& jobs) {
        threads_.push_back(start_thread(name + std::to_string(number),
                                        [this, &jobs](std::stop_token stop) { work(jobs, stop); }));
    }

    void work(std::deque<Job>& jobs, std::stop_token stop) {
        PageReader pages;
        for (;;) {
            std::unique_lock lock(mutex_);
            if (!filled_.wait(lock, stop, [&] { return !jobs.empty(); }) || stop.stop_requested()) return;
            Job job = std::move(jobs.front());
            jobs.pop_front();
            lock.unlock();
            std::stop_source either;
            const auto end = [&either] { either.request_stop(); };
            const std::stop_callback stopped(stop, end), cancelled(job.cancel, end);
            auto answer = run(job.query, pages, either.get_token());
            loop_.post([self = shared_from_this(), done = std::move(job.done), answer = std::move(answer)] {
                if (!self->stopped_) done(answer);
            });
        }
    }

    Result<Answer> run(const EventQuery& query, PageReader& pages, std::stop_token stop) {
        auto fetched = reader_.fetch(query, stop);
        if (!fetched) return tl::unexpected<Failure>(std::move(fetched.error()));
        auto read = pages.read(std::move(fetched->body), query);
        if (!read) return tl::unexpected<Failure>(std::move(read.error()));
        return Answer{std::move(read->page), read->facts, fetched->date};
    }

    Loop& loop_;
    EventReader& reader_;
    bool stopped_ = false;  // loop thread only
    std::mutex mutex_;
    std::condition_variable_any filled_;
    std::deque<Job> live_;
    std::deque<Job> others_;
    std::vector<std::jthread> threads_;
};

Fetcher::Fetcher(Loop& loop, EventReader& reader, std::size_t live, std::size_t others)
    : shared_(std::make_shared<Shared>(loop, reader)) {
    shared_->start(live, others);
}
Fetcher::~Fetcher() { stop(); }
void Fetcher::stop() { shared_->stop(); }
void Fetcher::submit(For whom, EventQuery query, std::function<void(Result<Answer>)> done,
                     std::stop_token cancel) {
    shared_->submit(whom, std::move(query), std::move(done), std::move(cancel));
}

}  // namespace sg::stream
