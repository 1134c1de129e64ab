#pragma once
// Uploads and downloads: the form endpoints of the site, and the storage behind it.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/content.hpp"
#include "sandbox/form.hpp"
#include "sandbox/http_server.hpp"
#include "sandbox/rpc.hpp"

namespace sg::sandbox {

/// The files of a site. Their bytes lie in a directory of its own on the disk, which goes with it; what is
/// to last is told of as it arrives.
///
/// Requests have a method for the journal and for faults, which is the last segment of a form's path
/// (`api_link_file`, `upload_file`, …), `storage_put` and `storage_get`, `file_serve`, `image`,
/// `thumbnail_full`.
///
/// Threads: none of its own; the site's lock guards it, `store` and `takes` excepted.
class Files {
public:
    Files(Rpc& rpc, EntityStore& store) : rpc_(rpc), store_(store) {}

    /// Whether a request is for this part of the site.
    static bool takes(std::string_view verb, std::string_view target);
    /// A file for the body of a request that brings one; null for others.
    std::shared_ptr<StoredBody> store(std::string_view verb, std::string_view target) const;

    /// What was read of a request: its method, and the fields of its form as `params`.
    RpcCall parse(const HttpRequest& request);
    /// Answers the request that was parsed last.
    HttpAnswer answer(const RpcCall& call, const HttpRequest& request, Seconds now);

    /// From now on a thumbnail that is uploaded stays "being made", until this is let go.
    void hold_thumbnails(bool hold, Seconds now);

    /// Told of each file that has become an attachment's.
    void on_arrival(std::function<void(Id attachment, const StoredFile&)> tell) { tell_ = std::move(tell); }
    /// An empty body in the directory, for what comes back from elsewhere.
    std::shared_ptr<StoredBody> make_body() const { return std::make_shared<StoredBody>(directory_.path()); }
    void restore(Id attachment, StoredFile file) { files_[attachment] = std::move(file); }

    /// How long a link to the storage is good for.
    static constexpr std::chrono::seconds link_life{15 * 60};
    /// No part but the last may be smaller.
    static constexpr std::uint64_t smallest_part = std::uint64_t{5} << 20U;

private:
    struct Part {
        Slice bytes;
        std::string etag;
    };
    struct Upload {
        std::string type, filename, content_type;
        bool in_parts = false, whole = false;
        std::map<int, Part> parts;  // one, number 0, where it is not in parts
    };
    /// A file that belongs to an entity now.
    struct Arrival {
        Content content;
        std::string name, content_type;
        bool thumbnail = false;
    };
    struct Held {
        Caller caller;
        LinkKey entity;
        std::string field;
        Id attachment = 0;
    };

    std::string answer_form(const std::string& endpoint, const Form& form, Seconds now);
    std::string link_info(const Form& form, Seconds now);
    std::string part_link(const Form& form, Seconds now);
    std::string complete(const Form& form);
    std::string link_file(const Caller& caller, const Form& form, Seconds now);
    std::string upload_file(const Caller& caller, const Form& form, bool thumbnail, Seconds now);
    std::string share_thumbnail(const Caller& caller, const Form& form, Seconds now);
    HttpAnswer put(const HttpRequest& request, Seconds now);
    HttpAnswer get(const HttpRequest& request, Seconds now);
    HttpAnswer uploaded_thumbnail(const HttpRequest& request) const;
    HttpAnswer serve(const HttpRequest& request, Seconds now) const;

    std::string arrive(const Caller& caller, const Form& form, Arrival arrival, Seconds now);
    Id attach(const Caller& caller, Record& record, const Form& form, const Arrival& arrival, Seconds now);
    void set_file(const Caller& caller, Record& record, const std::string& field, Id attachment, Seconds now);
    void set_thumbnail(const Caller& caller, Record& record, const std::string& field, Id attachment,
                       Seconds now);
    Json file_value(Id attachment) const;

    std::string signed_link(std::string_view verb, std::string path, Seconds now) const;
    bool is_signed(std::string_view verb, const std::string& path, const Form& query, Seconds now) const;

    Rpc& rpc_;
    EntityStore& store_;
    ContentDirectory directory_;
    std::string base_;  // as the client at hand reaches the site
    std::map<std::string, Upload> uploads_;
    std::map<Id, StoredFile> files_;  // by attachment
    std::function<void(Id, const StoredFile&)> tell_;
    std::uint64_t last_upload_ = 0;
    std::optional<Form> form_;  // from `parse` to `answer`
    bool hold_ = false;
    std::vector<Held> held_;
};

}  // namespace sg::sandbox
