#pragma once
// What a retriever asks the site with.

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "retriever/file_cache.hpp"
#include "site/client.hpp"
#include "util/result.hpp"

namespace sg::retriever {

/// One connection to the site. `args` and `kwargs` are what the official Python client takes.
///
/// Threads: one at a time; `clone` and `url` any.
class SiteConnection {
public:
    virtual ~SiteConnection() = default;

    virtual std::unique_ptr<SiteConnection> clone() const = 0;

    /// Scheme and host, `https://studio.example.com`.
    virtual std::string url() const = 0;

    /// A refusal has the site's `http_status` or `site_code`; after any other failure the connection is not
    /// used again.
    virtual Result<nlohmann::json> call(std::string_view method, const nlohmann::json& args,
                                        const nlohmann::json& kwargs, std::stop_token stop) = 0;
    virtual Result<Fetched> download(const std::string& url, const std::filesystem::path& to,
                                     std::stop_token stop) = 0;
};

/// The arguments as `site::call_by_name` takes them, without what is null: that is what Python's defaults
/// are. Errors: `invalid`: too many, or one of them twice.
Result<nlohmann::json> by_name(std::string_view method, const nlohmann::json& args,
                               const nlohmann::json& kwargs);

/// Calls of `client` with these options, which carry the credential. `url` as in `site::Settings`. The
/// client, which outlives it, keeps the sockets.
std::unique_ptr<SiteConnection> make_connection(site::Client& client, const std::string& base_url,
                                                site::CallOptions options);

}  // namespace sg::retriever
