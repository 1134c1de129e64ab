#pragma once
// The connections of one retriever.

#include <mutex>
#include <sg/site.hpp>
#include <vector>

#include "retriever/site_connection.hpp"

namespace sg::retriever {

/// Clones of a prototype that is never used itself: one is made when a call is about to run and none is
/// idle, so there are never more than calls that ran at once.
///
/// Threads:  every member from any thread.
/// Lifetime: outlives its leases.
class Connections {
public:
    explicit Connections(std::unique_ptr<SiteConnection> prototype) : prototype_(std::move(prototype)) {}

    /// A connection that nobody else has. What failed without an answer is not given back.
    class Lease {
    public:
        explicit Lease(Connections& home) : home_(home), connection_(home.take()) {}
        ~Lease() {
            if (!broken_) home_.give_back(std::move(connection_));
        }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        Result<nlohmann::json> call(std::string_view method, const nlohmann::json& args,
                                    const nlohmann::json& kwargs, std::stop_token stop) {
            return judged(connection_->call(method, args, kwargs, std::move(stop)));
        }
        Result<Fetched> download(const std::string& url, const std::filesystem::path& to,
                                 std::stop_token stop) {
            return judged(connection_->download(url, to, std::move(stop)));
        }

    private:
        template <class T>
        Result<T> judged(Result<T> result) {
            if (!result && result.error().http_status == 0 && result.error().site_code == 0) broken_ = true;
            return result;
        }
        Connections& home_;
        std::unique_ptr<SiteConnection> connection_;
        bool broken_ = false;
    };

    std::string url() const { return prototype_->url(); }

private:
    std::unique_ptr<SiteConnection> take() {
        {
            std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                auto last = std::move(idle_.back());
                idle_.pop_back();
                return last;
            }
        }
        return prototype_->clone();
    }
    void give_back(std::unique_ptr<SiteConnection> connection) {
        std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
    }

    const std::unique_ptr<SiteConnection> prototype_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<SiteConnection>> idle_;
};

/// The site as a method sees it. Throws as `sg::Site` does.
///
/// Threads: any; one call at a time.
class LeasedSite final : public Site {
public:
    LeasedSite(Connections::Lease& lease, std::stop_token stop) : lease_(lease), stop_(std::move(stop)) {}

    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        std::lock_guard lock(mutex_);
        auto answer = lease_.call(method, nlohmann::json::array(), arguments, stop_);
        if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
        return std::move(*answer);
    }

private:
    std::mutex mutex_;  // held while the site is asked: the connection is for one at a time
    Connections::Lease& lease_;
    const std::stop_token stop_;
};

}  // namespace sg::retriever
