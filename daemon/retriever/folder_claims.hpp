#pragma once
// Who is busy in which folder of a cache, within this process.

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sg::retriever {

/// A folder is in use by any number of downloads, or by one cleaner for as long as it takes to remove a file.
///
/// Threads:  any.
/// Lifetime: outlives what it gives out.
class FolderClaims {
public:
    class Claim {
    public:
        Claim(FolderClaims& all, std::string folder) : all_(&all), folder_(std::move(folder)) {}
        Claim(Claim&& other) noexcept
            : all_(std::exchange(other.all_, nullptr)), folder_(std::move(other.folder_)) {}
        Claim& operator=(Claim&&) = delete;
        ~Claim() {
            if (all_ != nullptr) all_->release(folder_);
        }

    private:
        FolderClaims* all_;
        std::string folder_;
    };

    /// Waits for a cleaner.
    Claim for_download(const std::string& folder) {
        std::unique_lock lock(mutex_);
        released_.wait(lock, [&] { return users(folder) >= 0; });
        ++users_[folder];
        return {*this, folder};
    }

    /// nullopt: a download, or another cleaner, is there.
    std::optional<Claim> for_cleaning(const std::string& folder) {
        std::lock_guard lock(mutex_);
        if (users(folder) != 0) return std::nullopt;
        users_[folder] = cleaner;
        return Claim(*this, folder);
    }

private:
    static constexpr int cleaner = -1;

    int users(const std::string& folder) const {
        const auto found = users_.find(folder);
        return found == users_.end() ? 0 : found->second;
    }

    void release(const std::string& folder) {
        {
            std::lock_guard lock(mutex_);
            const auto found = users_.find(folder);
            if (found->second > 1) {
                --found->second;
                return;
            }
            users_.erase(found);
        }
        released_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable released_;
    std::map<std::string, int> users_;
};

}  // namespace sg::retriever
