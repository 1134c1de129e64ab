#include "cli/control_client.hpp"

#include <curl/curl.h>

#include <cerrno>
#include <memory>

namespace sg::cli {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

std::size_t collect(char* data, std::size_t, std::size_t size, void* to) {
    static_cast<std::string*>(to)->append(data, size);
    return size;
}

Failure explain(CURLcode code, long os_error, const std::filesystem::path& socket) {
    if (code == CURLE_COULDNT_CONNECT && os_error == EACCES)
        return {Cause::permission, "the socket " + socket.string() + " belongs to another user", 0, 0, {}};
    if (code == CURLE_COULDNT_CONNECT)
        return {Cause::network, "no daemon listens on " + socket.string(), 0, 0, {}};
    return {Cause::network,
            "the daemon does not answer on " + socket.string() + ": " + curl_easy_strerror(code),
            0,
            0,
            {}};
}

}  // namespace

Result<nlohmann::json> ask_daemon(const std::filesystem::path& socket, const std::string& method,
                                  const std::string& path, const std::string& body) {
    const Handle curl(curl_easy_init(), &curl_easy_cleanup);
    std::string text;
    curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_URL, ("http://localhost" + path).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 10'000L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
    if (method == "POST") {
        curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
    }
    const auto code = curl_easy_perform(curl.get());
    long os_error = 0, status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &os_error);
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) return tl::unexpected(explain(code, os_error, socket));
    auto answer = nlohmann::json::parse(text, nullptr, false);
    if (answer.is_discarded()) return fail(Cause::internal, "the daemon's answer is not JSON");
    if (status >= 400)
        return fail(status == 403 ? Cause::permission : Cause::invalid, "{}",
                    answer.is_object() ? answer.value("error", "refused") : "refused");
    return answer;
}

}  // namespace sg::cli
