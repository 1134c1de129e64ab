#pragma once
// HTTP to the forms of a site and to the storage behind it, with nothing of the daemon in it.

#include <string>
#include <vector>

#include "raw_http.hpp"

namespace sg::test {

/// A client of forms and files; nothing of the daemon's.
class FormHttp {
public:
    explicit FormHttp(std::string base) : base_(std::move(base)) {}

    struct Got {
        CURLcode error = CURLE_OK;
        long status = 0;
        std::string body, head;
        std::string header(const std::string& name) const {
            const auto at = head.find(name + ": ");
            if (at == std::string::npos) return {};
            const auto from = at + name.size() + 2;
            return head.substr(from, head.find('\r', from) - from);
        }
    };

    Got go(const std::string& url, const std::vector<std::string>& headers, const std::string* put = nullptr,
           const std::string* post = nullptr) {
        Got got;
        const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
        curl_slist* list = nullptr;
        for (const auto& header : headers) list = curl_slist_append(list, header.c_str());
        std::string rest = put != nullptr ? *put : "";
        curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
        if (post != nullptr) {
            curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(post->size()));
            curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, post->c_str());
        }
        if (put != nullptr) {
            curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(curl.get(), CURLOPT_INFILESIZE, static_cast<long>(rest.size()));
            curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, &give);
            curl_easy_setopt(curl.get(), CURLOPT_READDATA, &rest);
        }
        curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
        curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &got.body);
        curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &take);
        curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &got.head);
        got.error = curl_easy_perform(curl.get());
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &got.status);
        curl_slist_free_all(list);
        return got;
    }
    Got get(const std::string& url, const std::vector<std::string>& headers = {}) { return go(url, headers); }
    Got put(const std::string& url, const std::string& body) {
        return go(url, {"Content-Type: image/png"}, &body);
    }
    /// The answer of a form endpoint, by its lines.
    std::vector<std::string> form(const std::string& endpoint, std::string fields) {
        fields += "&script_name=sandbox&script_key=sandbox-key";
        const auto got = go(base_ + "/upload/" + endpoint, {}, nullptr, &fields);
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < got.body.size();) {
            const auto end = std::min(got.body.find('\n', at), got.body.size());
            lines.push_back(got.body.substr(at, end - at));
            at = end + 1;
        }
        return lines;
    }
    static std::string escaped(const std::string& text) {
        char* out = curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size()));
        std::string copy(out);
        curl_free(out);
        return copy;
    }
    /// Stores `bytes` in a field, such as the movie of `entity_type=Version&entity_id=7`; the id of its
    /// attachment.
    std::string stored(const std::string& bytes, const std::string& entity, const std::string& field) {
        const bool thumbnail = field == "image";
        const auto info = form("api_get_upload_link_info",
                               std::string(thumbnail ? "upload_type=Thumbnail" : "upload_type=Attachment") +
                                   "&filename=a.png&multipart_upload=False");
        put(info.at(1), bytes);
        std::string text;
        for (const auto& line : info) text += line + "\n";
        const auto done = form("api_link_file", entity + (thumbnail ? "" : "&field_name=" + field) +
                                                    "&upload_link_info=" + escaped(text));
        return done.at(0).substr(2);
    }
    /// The bytes of an attachment.
    std::string attachment(const std::string& id) {
        return get(get(base_ + "/file_serve/attachment/" + id).header("Location")).body;
    }

private:
    static std::size_t take(char* data, std::size_t, std::size_t size, void* out) {
        static_cast<std::string*>(out)->append(data, size);
        return size;
    }
    static std::size_t give(char* out, std::size_t size, std::size_t count, void* rest) {
        auto& text = *static_cast<std::string*>(rest);
        const auto n = text.copy(out, size * count);
        text.erase(0, n);
        return n;
    }
    std::string base_;
};

}  // namespace sg::test
