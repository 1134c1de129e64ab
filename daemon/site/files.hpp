#pragma once
// Files to the site and from it.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/types.hpp>
#include <string>
#include <vector>

namespace sg::site {

/// Called on the calling thread, often: bytes so far, and of how many where that is known. What is sent
/// or fetched once more counts once.
using OnProgress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)>;

/// One file for one entity.
struct UploadRequest {
    std::string type;
    EntityId id = 0;
    std::filesystem::path file;  ///< a regular file that is not empty
    /// Where it goes; empty: it is attached to the entity. `image` and `thumb_image` make it the thumbnail,
    /// `filmstrip_image` and `filmstrip_thumb_image` the filmstrip.
    std::string field;
    std::string display_name;  ///< empty: the file's name; not for thumbnails
    std::vector<std::string> tags;
    OnProgress progress;
};

/// Makes the thumbnail of one entity that of others.
struct ShareThumbnailRequest {
    std::vector<std::pair<std::string, EntityId>> entities;
    std::pair<std::string, EntityId> source;
    bool filmstrip = false;
};

/// One file from the site.
struct DownloadRequest {
    /// An attachment's id; an object with a `url`, as a file field holds it; an `Attachment` with its
    /// `id`; or a URL, as an image field holds it.
    nlohmann::json attachment;
    std::filesystem::path to;  ///< replaced if it is there
    OnProgress progress;
};

struct Downloaded {
    std::uint64_t bytes = 0;
    std::string content_type;
    std::string final_url;        ///< where it was in the end, after redirects; holds what signs it
    std::uint32_t resumed = 0;    ///< how often the transfer went on where it had been cut
    std::uint32_t restarted = 0;  ///< how often it had to begin anew
};

}  // namespace sg::site
