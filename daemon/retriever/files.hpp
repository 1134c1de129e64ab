#pragma once
// Where thumbnails and attachments are found and fetched.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/types.hpp>
#include <stop_token>
#include <string>

#include "retriever/attachment_record.hpp"
#include "retriever/connections.hpp"

namespace sg::retriever {

using File = std::optional<std::filesystem::path>;

/// One file of the site.
///
/// Threads: any.
class Source {
public:
    virtual ~Source() = default;

    /// Equal for what is one file in the cache.
    virtual std::string key() const = 0;

    /// Not fetched, and not kept: `find` says all.
    virtual bool is_elsewhere() const { return false; }

    /// Looks on the disk; nullopt: it is not there.
    virtual Result<File> find(FileCache& cache) const = 0;

    /// nullopt: the site has no such file.
    virtual Result<File> fetch(FileCache& cache, Connections& connections, std::stop_token stop) const = 0;
};

/// The file behind a URL. With a field, a URL that the server refuses is asked for again, once.
class ThumbnailSource final : public Source {
public:
    ThumbnailSource(std::string url, std::string type, EntityId id, std::optional<std::string> field)
        : url_(std::move(url)), type_(std::move(type)), id_(id), field_(std::move(field)) {}
    std::string key() const override;
    Result<File> find(FileCache& cache) const override;
    Result<File> fetch(FileCache& cache, Connections& connections, std::stop_token stop) const override;

private:
    /// null: none any more.
    Result<nlohmann::json> fresh_url(Connections::Lease& site, std::stop_token stop) const;
    const std::string url_, type_;
    const EntityId id_;
    const std::optional<std::string> field_;
};

/// What was uploaded as the thumbnail of an entity.
class UploadedThumbnail final : public Source {
public:
    UploadedThumbnail(const std::string& site, const std::string& type, EntityId id);
    std::string key() const override;
    Result<File> find(FileCache& cache) const override;
    Result<File> fetch(FileCache& cache, Connections& connections, std::stop_token stop) const override;

private:
    std::string url_;
};

/// An attachment, or why the record does not tell where it is.
class AttachmentSource final : public Source {
public:
    AttachmentSource(nlohmann::json record, const std::string& site);
    std::string key() const override;
    bool is_elsewhere() const override;
    Result<File> find(FileCache& cache) const override;
    Result<File> fetch(FileCache& cache, Connections& connections, std::stop_token stop) const override;

private:
    const nlohmann::json json_;
    const Result<AttachmentRecord> record_;
    std::string url_;  // where it is fetched
};

}  // namespace sg::retriever
