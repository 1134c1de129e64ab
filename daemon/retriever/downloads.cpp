#include "retriever/downloads.hpp"

#include <algorithm>
#include <sg/tasks.hpp>
#include <utility>

namespace sg::retriever {

/// Under the lock of the downloads.
struct Download {
    std::string key;
    Uid place;
    std::vector<std::shared_ptr<Joiner>> joiners;
    Joiner* carrier = nullptr;  // whose stage was begun
    bool is_claimed = false;    // somebody fetches
    bool is_over = false;
    std::stop_source stop;
};

void Downloads::forget(Download& download) {
    download.is_over = true;
    const auto found = under_way_.find(download.key);
    if (found != under_way_.end() && found->second.get() == &download) under_way_.erase(found);
}

void Downloads::join(const std::string& key, const std::shared_ptr<Joiner>& joiner) {
    std::shared_ptr<Download> download;
    {
        std::lock_guard lock(mutex_);
        auto& known = under_way_[key];
        const bool is_new = !known;
        if (is_new) {
            known = std::make_shared<Download>();
            known->key = key;
            known->place = joiner->uid();
        }
        known->joiners.push_back(joiner);
        joiner->download_ = known;
        if (!is_new) return;
        download = known;
    }
    hand_on(download);
}

/// Until somebody carries it, or nobody wants it.
void Downloads::hand_on(const std::shared_ptr<Download>& download) {
    while (true) {
        std::shared_ptr<Joiner> next;
        {
            std::lock_guard lock(mutex_);
            if (download->is_claimed || download->is_over || download->carrier != nullptr) return;
            next = download->joiners.front();
            download->carrier = next.get();
        }
        if (next->begin(download, download->place)) return;
        std::lock_guard lock(mutex_);
        if (download->is_over || download->carrier != next.get()) return;  // it has left, too
        download->carrier = nullptr;
        std::erase(download->joiners, next);
        next->download_.reset();
        if (download->joiners.empty()) forget(*download);
    }
}

void Downloads::leave(Joiner& joiner) {
    std::shared_ptr<Download> download;
    std::shared_ptr<Joiner> left;  // let go of without the lock
    bool is_stopped = false;
    {
        std::lock_guard lock(mutex_);
        download = std::exchange(joiner.download_, nullptr);
        if (!download) return;
        auto& joiners = download->joiners;
        const auto found = std::find_if(joiners.begin(), joiners.end(),
                                        [&](const auto& other) { return other.get() == &joiner; });
        left = std::move(*found);
        joiners.erase(found);
        if (joiners.empty()) forget(*download);
        is_stopped = joiners.empty() && download->is_claimed;
        if (!is_stopped && download->carrier != &joiner) return;
        download->carrier = nullptr;
    }
    if (is_stopped)
        download->stop.request_stop();
    else
        hand_on(download);
}

void Downloads::join_here(const std::string& key, const std::shared_ptr<Joiner>& joiner) {
    std::shared_ptr<Download> download;
    {
        std::lock_guard lock(mutex_);
        auto& known = under_way_[key];
        if (!known) {
            known = std::make_shared<Download>();
            known->key = key;
        }
        known->joiners.push_back(joiner);
        joiner->download_ = known;
        if (std::exchange(known->is_claimed, true)) return;
        download = known;
    }
    fetch(download, *joiner);
}

void Downloads::carry(const std::shared_ptr<Download>& download, Joiner& by) {
    {
        std::lock_guard lock(mutex_);
        if (download->is_over || std::exchange(download->is_claimed, true)) return;
    }
    fetch(download, by);
}

void Downloads::fetch(const std::shared_ptr<Download>& download, Joiner& by) {
    Outcome outcome;
    try {
        outcome.file = by.fetch(download->stop.get_token());
    } catch (const std::exception& error) {
        outcome.file = fail(Cause::internal, "{}", error.what());
    } catch (...) {
        outcome.file = fail(Cause::internal, "unknown error");
    }
    end(download, outcome);
}

void Downloads::give_up(const std::shared_ptr<Download>& download, std::shared_ptr<const TaskFailure> late) {
    end(download, {fail(Cause::timed_out, "{}", late->message), late});
    download->stop.request_stop();
}

void Downloads::end(const std::shared_ptr<Download>& download, const Outcome& outcome) {
    std::vector<std::shared_ptr<Joiner>> joiners;
    {
        std::lock_guard lock(mutex_);
        if (download->is_over) return;
        forget(*download);
        joiners.swap(download->joiners);
        for (const auto& joiner : joiners) joiner->download_.reset();
    }
    for (const auto& joiner : joiners) joiner->finish(outcome);
}

std::size_t Downloads::joined() const {
    std::lock_guard lock(mutex_);
    std::size_t all = 0;
    for (const auto& [key, download] : under_way_) all += download->joiners.size();
    return all;
}

std::size_t Downloads::count() const {
    std::lock_guard lock(mutex_);
    return under_way_.size();
}

}  // namespace sg::retriever
