#pragma once
// `sgeventd site`: files to the site and from it, by hand.

#include <filesystem>
#include <string>
#include <vector>

#include "service/exit_code.hpp"

namespace sg::cli {

/// What every command of `site` is told.
struct SiteOptions {
    std::filesystem::path config;
    std::string credential;  ///< a name in the configuration; empty: the daemon's own
};

/// `site upload`: the id of the attachment on standard output.
struct UploadOptions {
    SiteOptions site;
    std::string entity;  ///< `Version:42`
    std::filesystem::path file;
    std::string field, name;
    std::vector<std::string> tags;
};
service::ExitCode upload_command(const UploadOptions& options);

/// `site download`: the path of the file on standard output.
struct DownloadOptions {
    SiteOptions site;
    std::string what;  ///< an attachment's id, `Version:42:image`, a URL, or `-`: a URL from standard input
    std::filesystem::path file;
};
service::ExitCode download_command(const DownloadOptions& options);

}  // namespace sg::cli
