#include "bench/bare_loop.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace sg::bench {

namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

std::string request_after(std::int64_t id) {
    return fmt::format(
        R"({{"method_name":"read","params":[{{"script_name":"bench","script_key":"bench"}},{{"type":"EventLogEntry",)"
        R"("return_fields":["id","event_type","attribute_name","meta","entity","user","project","session_uuid",)"
        R"("created_at"],"filters":{{"logical_operator":"and","conditions":[{{"path":"id","relation":"greater_than",)"
        R"("values":[{}]}}]}},"return_only":"active","paging":{{"entities_per_page":500,"current_page":1}},)"
        R"("sorts":[{{"field_name":"id","direction":"asc"}}]}}]}})",
        id);
}

struct Taken {
    std::int64_t rows = 0;
    std::int64_t last = 0;
    std::size_t sum = 0;  // of what was read, so that reading is not optimised away
};

Taken take(std::string& body, simdjson::dom::parser& check, simdjson::ondemand::parser& walk) {
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    if (check.parse(body.data(), body.size(), false).error()) throw std::runtime_error("a page is not JSON");
    auto document = walk.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
    Taken taken;
    for (simdjson::ondemand::object row : document["results"]["entities"].get_array()) {
        std::string_view type, attribute, created;
        std::int64_t id = 0, project = 0;
        for (auto field : row) {
            const std::string_view key = field.unescaped_key();
            if (key == "id")
                id = field.value().get_int64();
            else if (key == "event_type")
                type = field.value().get_string();
            else if (key == "attribute_name")
                attribute = field.value().get_string();
            else if (key == "created_at")
                created = field.value().get_string();
            else if (key == "project")
                project = field.value()["id"].get_int64();
        }
        row.reset();
        const std::string_view raw = row.raw_json();
        ++taken.rows;
        taken.last = id;
        taken.sum +=
            type.size() + attribute.size() + created.size() + raw.size() + static_cast<std::size_t>(project);
    }
    return taken;
}

}  // namespace

std::int64_t read_everything(const std::string& url) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
    simdjson::dom::parser check;
    simdjson::ondemand::parser walk;
    std::string body;
    std::int64_t rows = 0, last = 0;
    std::size_t sum = 0;
    curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json; charset=utf-8");
    for (;;) {
        const auto request = request_after(last);
        body.clear();
        curl_easy_setopt(easy.get(), CURLOPT_URL, (url + "/api3/json").c_str());
        curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(request.size()));
        curl_easy_setopt(easy.get(), CURLOPT_COPYPOSTFIELDS, request.c_str());
        curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, append);
        curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
        if (curl_easy_perform(easy.get()) != CURLE_OK)
            throw std::runtime_error("the page server does not answer");
        const Taken taken = take(body, check, walk);
        sum += taken.sum;
        if (taken.rows == 0) break;
        rows += taken.rows;
        last = taken.last;
    }
    curl_slist_free_all(headers);
    if (sum == 0) throw std::runtime_error("nothing was read");
    return rows;
}

}  // namespace sg::bench
