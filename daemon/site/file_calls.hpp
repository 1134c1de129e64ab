#pragma once
// How files are sent and fetched.

#include <string>
#include <string_view>

#include "site/calls.hpp"
#include "site/file_io.hpp"
#include "site/files.hpp"
#include "site/form.hpp"

namespace sg::site {

/// Larger files go to the storage in parts of this size.
inline constexpr std::uint64_t part_bytes = 20'000'000;

/// What a field name makes of an upload.
enum class UploadKind { file, thumbnail, filmstrip };
UploadKind kind_of(std::string_view field);

/// Whether a site that says `info` of itself takes this straight to its storage.
bool goes_to_storage(const nlohmann::json& info, std::string_view type, std::string_view field);

/// Where an attachment is fetched: `root` is the site without a path. nullopt for null. Errors: `invalid`
/// for what leads to no file, or to one of a file system.
Result<std::optional<std::string>> attachment_url(const nlohmann::json& attachment, std::string_view root);

/// What a storage refused, in the words of its XML. `answer` says no success.
Failure storage_failure(const HttpAnswer& answer);

/// The work of one upload or download.
class Client::Files {
public:
    Files(Calls& calls, const CallOptions& options);

    Result<EntityId> upload(const UploadRequest& request);
    Result<std::optional<EntityId>> share(const ShareThumbnailRequest& request);
    Result<std::optional<Downloaded>> download(const DownloadRequest& request);

private:
    class Fetch;

    /// One file on its way, and what has been said of it.
    struct Sending {
        const UploadRequest& request;
        const SentFile& file;
        UploadKind kind;
        std::uint64_t furthest = 0;
        void progress(std::uint64_t done);
    };
    /// How a piece reaches the storage: where to, and a way to ask for that again.
    struct Part {
        std::string what, url;
        std::function<Result<std::string>()> renew;  ///< empty: there is none
        std::uint64_t offset = 0, length = 0;
    };

    Result<FormFields> with_auth(FormFields fields) const;
    Result<FormAnswer> post_form(const std::string& what, const char* path, FormFields fields, Repeat repeat);
    Result<EntityId> through_site(Sending& sending);
    Result<EntityId> through_storage(Sending& sending);
    Result<void> send_parts(Sending& sending, const std::string& file_name, const FormAnswer& link);
    Result<EntityId> link(Sending& sending, const FormAnswer& link);
    /// The `ETag` of what was stored.
    Result<std::string> put(Sending& sending, Part part);
    Result<std::string> session_token();

    Calls& calls_;
    const CallOptions& options_;
    std::string root_;  // of the site's files, `https://studio.example.com`
};

}  // namespace sg::site
