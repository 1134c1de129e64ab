#pragma once
// A request for a file: looked for on the disk, then fetched, by itself or together with others.

#include <functional>
#include <memory>
#include <optional>

#include "retriever/files.hpp"
#include "retriever/inner.hpp"

namespace sg::retriever {

/// What tells thumbnails from attachments.
struct FileKind {
    const char *found, *fetched;  ///< types of the reply
    int find_priority, fetch_priority;
    bool is_thumbnail;
};
inline constexpr FileKind thumbnail_kind{"check_thumbnail", "download_thumbnail", priority::check_thumbnail,
                                         priority::download_thumbnail, true};
inline constexpr FileKind attachment_kind{"check_attachment", "download_attachment",
                                          priority::check_attachment, priority::download_attachment, false};

/// Threads:  any.
/// Lifetime: shared by its stages and the download that it has joined.
class FileRequest final : public Joiner, public std::enable_shared_from_this<FileRequest> {
public:
    /// `source` null: there is no such file, and the request ends so. Throws as `Pool::open_request`.
    static std::shared_ptr<tasks::Task> start(const std::shared_ptr<Inner>& inner, const FileKind& kind,
                                              std::unique_ptr<const Source> source, Image image,
                                              CachePolicy cache);

    bool begin(std::shared_ptr<Download> download, Uid place) override;
    Result<File> fetch(std::stop_token stop) override;
    void finish(const Outcome& outcome) override;
    Uid uid() const noexcept override { return request_->uid(); }

    FileRequest(std::shared_ptr<Inner> inner, const FileKind& kind, std::unique_ptr<const Source> source,
                Image image, CachePolicy cache);

private:
    void find(tasks::Task& stage);
    void join();
    Ending reply(const char* type, const File& file) const;
    void end(const std::function<Ending()>& made);
    nlohmann::json load(const std::filesystem::path& file) const;

    const std::shared_ptr<Inner> inner_;
    const FileKind& kind_;
    const std::unique_ptr<const Source> source_;
    const Image image_;
    const CachePolicy cache_;
    const std::shared_ptr<tasks::Task> request_;
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;  // while it has joined
};

/// Waits on its own thread for a file.
class Helper final : public Joiner {
public:
    Helper(Inner& inner, const Source& source) : inner_(inner), source_(source) {}

    bool begin(std::shared_ptr<Download>, Uid) override { return false; }  // it has no thread to offer
    Result<File> fetch(std::stop_token stop) override;
    void finish(const Outcome& outcome) override;
    Uid uid() const noexcept override { return {}; }

    /// The file. Errors: as fetched; `stopped`.
    Result<File> wait(std::stop_token stop);

private:
    Inner& inner_;
    const Source& source_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Result<File>> file_;
};

}  // namespace sg::retriever
