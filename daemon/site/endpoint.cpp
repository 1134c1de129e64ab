#include "site/endpoint.hpp"

#include <curl/curl.h>
#include <algorithm>
#include <charconv>
#include <memory>

namespace sg::site {
namespace {

struct FreeUrl {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

/// Empty where the part is absent.
Result<std::string> part(const Url& url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    switch (const auto code = curl_url_get(url.get(), which, &text, flags)) {
        case CURLUE_OK: {
            std::string copy(text);
            curl_free(text);
            return copy;
        }
        case CURLUE_NO_PORT:
        case CURLUE_NO_USER:
        case CURLUE_NO_PASSWORD:
            return std::string();
        default:
            return fail(Cause::invalid, "the site's base URL: {}", curl_url_strerror(code));
    }
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}  // namespace

Result<Endpoint> Endpoint::from_base_url(std::string_view base_url) {
    const Url url(curl_url());
    const std::string text(base_url);
    const auto code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_BAD_SCHEME || (code == CURLUE_OK && text.find("://") == std::string::npos))
        return fail(Cause::invalid, "the site's base URL has to begin with https:// or http://");
    if (code != CURLUE_OK || text.find('\0') != std::string::npos)
        return fail(Cause::invalid, "the site's base URL cannot be understood: {}", curl_url_strerror(code));

    const auto scheme = part(url, CURLUPART_SCHEME), host = part(url, CURLUPART_HOST);
    const auto port = part(url, CURLUPART_PORT), path = part(url, CURLUPART_PATH);
    const auto user = part(url, CURLUPART_USER, CURLU_URLDECODE);
    const auto password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    for (const auto* each : {&scheme, &host, &port, &path, &user, &password})
        if (!*each) return tl::unexpected(each->error());
    if (lower(*scheme) != "http" && lower(*scheme) != "https")
        return fail(Cause::invalid, "the site's base URL has to begin with https:// or http://");

    Endpoint endpoint;
    const auto folder = path->substr(0, path->rfind('/') + 1);  // RFC 3986: the last segment is replaced
    endpoint.url = lower(*scheme) + "://" + lower(*host) + (port->empty() ? "" : ":" + *port) +
                   lower(folder.empty() ? "/" : folder) + "api3/json";
    endpoint.user = *user;
    endpoint.password = *password;
    return endpoint;
}

Result<Proxy> Proxy::parse(std::string_view text) {
    if (text.find("://") != std::string_view::npos)
        return fail(Cause::invalid, "a proxy is written [user:password@]host[:port], without a scheme");
    Proxy proxy;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        const auto login = text.substr(0, at);
        const auto colon = login.find(':');
        if (colon == std::string_view::npos)
            return fail(Cause::invalid, "a proxy's user is written user:password@host");
        proxy.user = login.substr(0, colon);
        proxy.password = login.substr(colon + 1);
        text.remove_prefix(at + 1);
    }
    // An IPv6 address keeps its brackets, and its colons are not the port's.
    const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    proxy.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        const auto digits = text.substr(colon + 1);
        const auto* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, proxy.port);
        if (read.ec != std::errc() || read.ptr != end || proxy.port == 0)
            return fail(Cause::invalid, "the proxy's port is not a number from 1 to 65535");
    }
    if (proxy.host.empty()) return fail(Cause::invalid, "the proxy has no host");
    return proxy;
}

std::string origin_of(std::string_view text) {
    const Url url(curl_url());
    if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) return {};
    const auto scheme = part(url, CURLUPART_SCHEME), host = part(url, CURLUPART_HOST);
    const auto port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (!scheme || !host || !port || (*scheme != "http" && *scheme != "https")) return {};
    return *scheme + "://" + lower(*host) + ":" + *port;
}

}  // namespace sg::site
