#pragma once
// Where the site is, and the way there.

#include <cstdint>
#include <string>
#include <string_view>

#include "util/result.hpp"

namespace sg::site {

/// The address that every call of one site goes to.
struct Endpoint {
    std::string url;       ///< `https://studio.example.com/api3/json`, never with a user or password
    std::string user;      ///< for HTTP Basic, decoded; from the base URL
    std::string password;  ///< likewise

    /// Reads a base URL as the official client does: all of it but user and password is lower-cased,
    /// the last segment of a path that has no slash behind it is replaced, query and fragment are
    /// ignored. Errors: `invalid`; the text never repeats the URL, which may hold a password.
    static Result<Endpoint> from_base_url(std::string_view base_url);
};

/// A proxy as `[user:password@]host[:port]`, without a scheme; the port is 8080 if left out.
struct Proxy {
    std::string host;
    std::uint16_t port = 8080;
    std::string user, password;

    /// Errors: `invalid`; the text never repeats a password.
    static Result<Proxy> parse(std::string_view text);
};

/// Scheme, host and port of a URL, each written one way: equal for two URLs that lead to one place.
/// Empty where it is no http or https URL.
std::string origin_of(std::string_view url);

}  // namespace sg::site
