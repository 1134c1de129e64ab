#pragma once
// HTTP for the sandbox's own tests: libcurl as it comes, and nothing of the daemon's client.

#include <curl/curl.h>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sg::test {

using Json = nlohmann::json;

struct RawAnswer {
    CURLcode error = CURLE_OK;
    long status = 0;
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case
    long new_connections = 0;

    Json json() const { return Json::parse(body); }
};

/// One kept-alive connection. Threads: one at a time.
class RawClient {
public:
    explicit RawClient(std::string base)
        : base_(std::move(base)), curl_(curl_easy_init(), curl_easy_cleanup) {}

    RawAnswer post(const std::string& path, const std::string& body,
                   std::chrono::milliseconds limit = std::chrono::seconds(20)) {
        RawAnswer answer;
        auto* curl = curl_.get();
        curl_easy_setopt(curl, CURLOPT_URL, (base_ + path).c_str());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
        answer.error = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
        curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &answer.new_connections);
        return answer;
    }

    /// A call of the API; `auth` is the sandbox's own script unless said otherwise.
    RawAnswer call(const std::string& method, const Json& params, Json auth = nullptr,
                   std::chrono::milliseconds limit = std::chrono::seconds(20)) {
        if (auth.is_null()) auth = {{"script_name", "sandbox"}, {"script_key", "sandbox-key"}};
        return post("/api3/json", Json{{"method_name", method}, {"params", {auth, params}}}.dump(), limit);
    }
    /// `results` of a call, or the fault as it came.
    Json results(const std::string& method, const Json& params) {
        const auto body = call(method, params).json();
        return body.contains("results") ? body["results"] : body;
    }
    /// The rows of a `read`, or the fault as it came.
    Json rows(const std::string& type, const std::vector<Json>& conditions, const Json& fields,
              Json more = Json::object()) {
        more["type"] = type;
        more["filters"] = Json{{"logical_operator", "and"}, {"conditions", conditions}};
        more["return_fields"] = fields;
        const auto got = results("read", more);
        return got.contains("entities") ? got["entities"] : got;
    }

private:
    static std::size_t take_body(char* data, std::size_t, std::size_t size, void* out) {
        static_cast<std::string*>(out)->append(data, size);
        return size;
    }
    static std::size_t take_header(char* data, std::size_t, std::size_t size, void* out) {
        const std::string line(data, size);
        const auto colon = line.find(": ");
        if (colon == std::string::npos) return size;
        auto name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        (*static_cast<std::map<std::string, std::string>*>(out))[name] =
            line.substr(colon + 2, line.find('\r') - colon - 2);
        return size;
    }

    std::string base_;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
};

inline Json condition(const std::string& path, const std::string& relation, const Json& values) {
    return Json{{"path", path},
                {"relation", relation},
                {"values", values.is_array() ? values : Json::array({values})}};
}

/// The ids of rows, in their order.
inline std::vector<std::int64_t> ids(const Json& rows) {
    std::vector<std::int64_t> out;
    for (const auto& row : rows) out.push_back(row.at("id").get<std::int64_t>());
    return out;
}

}  // namespace sg::test
