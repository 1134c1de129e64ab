#pragma once
// Queries, thumbnails and attachments that answer later: by signal, future or `co_await`.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/async.hpp>
#include <sg/connection.hpp>
#include <sg/pending.hpp>
#include <sg/site.hpp>
#include <sg/types.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sg {

/// What a request came to.
///
///     find                     `sg`: a list of rows
///     find_one, update, create `sg`: a row; null where `find_one` found none
///     delete                   `sg`: whether it was there
///     text_search, nav_expand  `sg`: the site's answer
///     nav_search_string, nav_search_entity
///                              `sg`: a list
///     schema                   `fields`, `types`
///     method                   `return_value`
///     check_thumbnail          `thumb_path`, `image`: it was on the disk, or no URL was given
///     download_thumbnail       `thumb_path`, `image`: it was fetched; null where there is none
///     check_attachment         `file_path`: it was on the disk
///     download_attachment      `file_path`: it was fetched
struct Reply {
    std::string type;     ///< one of the words on the left
    nlohmann::json data;  ///< an object with the members on the right

    /// The rows, the row, the answer.
    template <class T>
    T sg() const {
        return data.at("sg").template get<T>();
    }

    /// The file; nullopt where there is none.
    std::optional<std::filesystem::path> path() const {
        for (const char* key : {"thumb_path", "file_path"})
            if (const auto found = data.find(key); found != data.end() && found->is_string())
                return found->template get<std::string>();
        return std::nullopt;
    }

    /// The bytes of the file, where they were asked for.
    const nlohmann::json::binary_t* image() const {
        const auto found = data.find("image");
        return found != data.end() && found->is_binary() ? &found->get_binary() : nullptr;
    }
};
using Request = Pending<Reply>;

/// Runs on a thread of the retriever with a connection of its own; what it returns is `return_value`.
using Method = std::function<nlohmann::json(Site&, const nlohmann::json& args, const nlohmann::json& kwargs)>;

/// Whether a file on the disk is good enough.
enum class CachePolicy : std::uint8_t {
    use,
    refresh,  ///< fetches it anew; if that fails what was there stays
};
enum class Image : std::uint8_t {
    path_only,
    load,  ///< `image` holds the bytes of the file
};
struct ThumbnailOptions {
    Image image = Image::path_only;
    CachePolicy cache = CachePolicy::use;
};

/// Asks the site in background threads and keeps the files that it fetches.
///
///     const auto found = data.execute_find({"Project", json::array(), {"name"}});
///     const auto reply = co_await found;       // whoever called goes on meanwhile
///     for (const auto& project : reply.data.at("sg")) …
///
/// `args` and `kwargs` of a call are what the official Python client takes, by place and by name.
///
/// A request ends in exactly one of `on_work_completed`, `on_work_failure` and `on_work_cancelled`, with the
/// uid that it returned. Signals come one at a time, on the executor of the task manager, in one line with
/// those of its tasks. A function connected to one may be a coroutine that returns `Async`.
///
/// What is on the disk is answered first, then schemas, then calls in their order, then attachments, then
/// thumbnails. Requests for the same file share one transfer, which is stopped when all of them were.
///
/// Threads:  any thread may call anything. In a `Method` of its own `stop` throws `std::logic_error`.
/// Blocks:   `stop`, the two `download_…`, and `Pending::get`; nothing else.
/// Errors:   requests throw `Closed` after `stop`, and `std::invalid_argument` where `args` is no array or
///           `kwargs` no object. All else is how the request ends.
class DataRetriever {
    using Json = nlohmann::json;

public:
    virtual ~DataRetriever() = default;

    /// Requests are worked on from now on: also other work of a task manager that is shared.
    virtual void start() = 0;

    /// Ends what is not finished, without a signal, and waits until nothing of it runs. No request is taken
    /// afterwards, and no slot called.
    virtual void stop() = 0;

    /// Cancels what is not on a thread yet; how many that was. The rest finishes undisturbed.
    virtual std::size_t clear() = 0;

    /// Cancels one request wherever it is; false if it was too late.
    virtual bool stop_work(Uid uid) = 0;

    /// Fields and types; with a project, what counts there.
    Request get_schema(std::optional<EntityId> project = std::nullopt) {
        return Request(start_schema(project));
    }
    Request execute_find(Json args, Json kwargs = Json::object()) {
        return call("find", std::move(args), std::move(kwargs));
    }
    Request execute_find_one(Json args, Json kwargs = Json::object()) {
        return call("find_one", std::move(args), std::move(kwargs));
    }
    Request execute_update(Json args, Json kwargs = Json::object()) {
        return call("update", std::move(args), std::move(kwargs));
    }
    Request execute_create(Json args, Json kwargs = Json::object()) {
        return call("create", std::move(args), std::move(kwargs));
    }
    Request execute_delete(Json args, Json kwargs = Json::object()) {
        return call("delete", std::move(args), std::move(kwargs));
    }
    Request execute_text_search(Json args, Json kwargs = Json::object()) {
        return call("text_search", std::move(args), std::move(kwargs));
    }
    Request execute_nav_expand(Json args, Json kwargs = Json::object()) {
        return call("nav_expand", std::move(args), std::move(kwargs));
    }
    Request execute_nav_search_string(Json args, Json kwargs = Json::object()) {
        return call("nav_search_string", std::move(args), std::move(kwargs));
    }
    /// A Project is looked up by itself, and the answer made of it.
    Request execute_nav_search_entity(Json args, Json kwargs = Json::object()) {
        return call("nav_search_entity", std::move(args), std::move(kwargs));
    }
    Request execute_method(Method method, Json args = Json::array(), Json kwargs = Json::object()) {
        return Request(start_method(std::move(method), std::move(args), std::move(kwargs)));
    }

    /// The file of an attachment, a record with `id` and `this_file`.
    Request request_attachment(Json attachment, CachePolicy cache = CachePolicy::use) {
        return Request(start_attachment(std::move(attachment), cache));
    }
    /// The file behind `url`, as a query returned it. With the `field` that it came from, a URL that has
    /// expired is asked for again.
    Request request_thumbnail(std::optional<std::string> url, std::string entity_type, EntityId entity_id,
                              std::optional<std::string> field, ThumbnailOptions options = {}) {
        return Request(
            start_thumbnail({std::move(url), std::move(entity_type), entity_id, std::move(field)}, options));
    }
    /// The picture that was uploaded, in its own format.
    Request request_thumbnail_source(std::string entity_type, EntityId entity_id,
                                     ThumbnailOptions options = {}) {
        return Request(start_thumbnail_source(std::move(entity_type), entity_id, options));
    }

    /// The same on the calling thread; the file. Neither needs `start`. Throws what hinders it, and
    /// `std::invalid_argument` for an empty URL; one that has expired is not asked for again.
    virtual std::filesystem::path download_thumbnail(const std::string& url) = 0;
    virtual std::filesystem::path download_thumbnail_source(const std::string& entity_type,
                                                            EntityId entity_id) = 0;

    using Completed = std::function<void(Uid, const std::string& type, const Json& data)>;
    using Failed = std::function<void(Uid, const std::string& message)>;
    using Cancelled = std::function<void(Uid)>;

    template <class F>
    Connection on_work_completed(F slot) {
        return connect_completed(wrap<Completed>(std::move(slot)));
    }
    template <class F>
    Connection on_work_failure(F slot) {
        return connect_failed(wrap<Failed>(std::move(slot)));
    }
    template <class F>
    Connection on_work_cancelled(F slot) {
        return connect_cancelled(wrap<Cancelled>(std::move(slot)));
    }

protected:
    using CorePtr = std::shared_ptr<detail::Core>;
    struct Thumbnail {
        std::optional<std::string> url;
        std::string entity_type;
        EntityId entity_id = 0;
        std::optional<std::string> field;
    };
    /// `method` is the name of the site call, and the type of the reply.
    virtual CorePtr start_call(std::string_view method, Json args, Json kwargs) = 0;
    virtual CorePtr start_schema(std::optional<EntityId> project) = 0;
    virtual CorePtr start_method(Method method, Json args, Json kwargs) = 0;
    virtual CorePtr start_attachment(Json attachment, CachePolicy cache) = 0;
    virtual CorePtr start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) = 0;
    virtual CorePtr start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                           ThumbnailOptions options) = 0;
    virtual Connection connect_completed(Completed slot) = 0;
    virtual Connection connect_failed(Failed slot) = 0;
    virtual Connection connect_cancelled(Cancelled slot) = 0;

private:
    Request call(std::string_view method, Json args, Json kwargs) {
        return Request(start_call(method, std::move(args), std::move(kwargs)));
    }
    template <class Function, class F>
    static Function wrap(F slot) {
        return detail::wrap_slot(std::type_identity<Function>{}, std::move(slot));
    }
};

}  // namespace sg
