#include "retriever/messages.hpp"

namespace sg::retriever {

std::string without_queries(std::string_view text) {
    std::string out;
    while (true) {
        const auto scheme = text.find("://");
        if (scheme == std::string_view::npos) break;
        const auto end = std::min(text.find_first_of(" \t\r\n\"'<>", scheme), text.size());
        const auto url = text.substr(0, end);
        out += url.substr(0, std::min(url.find('?', scheme), url.size()));
        text.remove_prefix(end);
    }
    return out += text;
}

Failure download_failed(std::string_view url, Failure why) {
    // The cause may quote the query without the rest of the URL.
    if (const auto mark = url.find('?'); mark != std::string_view::npos && mark + 1 < url.size()) {
        const auto query = url.substr(mark + 1);
        for (auto at = why.message.find(query); at != std::string::npos; at = why.message.find(query, at))
            why.message.replace(at, query.size(), "…"), at += 3;
    }
    why.message =
        fmt::format("download of {} failed: {}", without_queries(url), without_queries(why.message));
    return why;
}

}  // namespace sg::retriever
