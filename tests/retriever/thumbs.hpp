#pragma once
// A retriever with a thumbnail to fetch.

#include "retriever/fixture.hpp"

namespace sg::test {

/// A started retriever, a Version with a thumbnail, and what is heard.
struct Thumbs : Rig {
    explicit Thumbs(const std::string& picture = "picture") {
        std::tie(version, url) = studio.thumbnail(picture);
        begin();
    }
    template <class Change>
    explicit Thumbs(Change change) {
        std::tie(version, url) = studio.thumbnail("picture");
        begin(change);
    }
    void begin() {
        begin([](retriever::Options&) {});
    }
    template <class Change>
    void begin(Change change) {
        data = make(change);
        heard.emplace(*data);
        data->start();
        studio.site.forget_requests();
    }
    Request ask(ThumbnailOptions options = {}) {
        return data->request_thumbnail(url, "Version", version, "image", options);
    }
    Heard::Signal end_of(const Request& request) {
        CHECK(until([&] { return !heard->of(request).empty(); }));
        return heard->last(request);
    }
    Heard::Signal thumbnail(ThumbnailOptions options = {}) { return end_of(ask(options)); }
    fs::path entry(const std::string& suffix, const std::string& of = {}) {
        const auto key = FileCache::key(of.empty() ? url : of);
        return root / "cache" / "thumbs" / key.substr(0, 2) / key.substr(2, 2) / (key.substr(4) + suffix);
    }
    /// The entity queries for a fresh URL.
    std::size_t field_queries() {
        const auto names = studio.counts->names();
        return static_cast<std::size_t>(std::count(names.begin(), names.end(), "find_one"));
    }
    std::size_t downloads() {
        const auto names = studio.counts->names();
        return static_cast<std::size_t>(std::count(names.begin(), names.end(), "download"));
    }
    /// An answer to the next request for this file, whichever that is.
    void answer_file(const Fault& fault) {
        studio.site.inject(fault.when([](const sandbox::Request& request) {
            return request.method == "file_serve" || request.method == "thumbnail_full";
        }));
    }

    sandbox::Id version = 0;
    std::string url;
    std::unique_ptr<DataRetriever> data;
    std::optional<Heard> heard;
};

inline const json no_thumbnail{{"thumb_path", nullptr}, {"image", nullptr}};

}  // namespace sg::test
