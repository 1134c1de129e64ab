#include "retriever/data_retriever.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "retriever/file_request.hpp"
#include "retriever/inner.hpp"
#include "tasks/worker.hpp"

namespace sg::retriever {
namespace {

using nlohmann::json;
using tasks::core_of;
using tasks::Task;

void check_arguments(const json& args, const json& kwargs) {
    if (!args.is_array()) throw std::invalid_argument("the arguments by place are no array");
    if (!kwargs.is_object()) throw std::invalid_argument("the arguments by name are no object");
}

/// The Project that is searched for; null where it is something else.
json project_in(const json& args, const json& kwargs) {
    const auto named = kwargs.find("entity");
    const auto entity = args.size() > 1 ? args[1] : named != kwargs.end() ? *named : json();
    return entity.is_object() && entity.value("type", json()) == "Project" ? entity : json();
}

/// The site has no answer of its own for projects.
Result<json> project_answer(Connections::Lease& site, const json& project, std::stop_token stop) {
    const auto id = project.value("id", json());
    auto found = site.call(
        "find_one",
        json::array({"Project", json::array({json::array({"id", "is", id})}), json::array({"name"})}),
        json::object(), std::move(stop));
    if (!found) return found;
    if (!found->is_object()) return fail(Cause::bad_request, "there is no Project {}", id.dump());
    return json::array({{{"incremental_path", json::array({"/Project/" + id.dump()})},
                         {"label", found->value("name", json())},
                         {"path_label", ""},
                         {"project_id", id},
                         {"ref", *found}}});
}

class Retriever final : public DataRetriever {
public:
    Retriever(std::shared_ptr<TaskManager> manager, bool is_owner, std::shared_ptr<Inner> inner)
        : manager_(std::move(manager)), is_owner_(is_owner), inner_(std::move(inner)) {}
    ~Retriever() override;
    Retriever(const Retriever&) = delete;
    Retriever& operator=(const Retriever&) = delete;

    void start() override;
    void stop() override;
    std::size_t clear() override { return inner_->pool->clear(*inner_->account); }
    bool stop_work(Uid uid) override {
        const auto request = inner_->pool->find_request(*inner_->account, uid);
        return request && request->stop();
    }
    std::filesystem::path download_thumbnail(const std::string& url) override;
    std::filesystem::path download_thumbnail_source(const std::string& entity_type,
                                                    EntityId entity_id) override;

protected:
    CorePtr start_call(std::string_view method, json args, json kwargs) override;
    CorePtr start_schema(std::optional<EntityId> project) override;
    CorePtr start_method(Method method, json args, json kwargs) override;
    CorePtr start_attachment(json attachment, CachePolicy cache) override;
    CorePtr start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) override;
    CorePtr start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                   ThumbnailOptions options) override;
    Connection connect_completed(Completed slot) override;
    Connection connect_failed(Failed slot) override;
    Connection connect_cancelled(Cancelled slot) override;

private:
    std::filesystem::path fetch_here(const Source& source);
    template <class Function>
    Connection connect(tasks::Slots<Function>& signal, Function slot) {
        return inner_->pool->connect(inner_->account, signal, inner_->account->slot_count, std::move(slot));
    }

    const std::shared_ptr<TaskManager> manager_;
    const bool is_owner_;
    const std::shared_ptr<Inner> inner_;
};

Retriever::~Retriever() {
    if (tasks::Worker::account() == inner_->account.get()) {
        std::fputs(
            "sgeventd: work of a data retriever let go of the last reference to that retriever. That ends "
            "the process: destroying it waits for its work, so it must be held by somebody else.\n",
            stderr);
        std::abort();
    }
    stop();
}

void Retriever::start() {
    if (inner_->closing.stop_requested()) throw Closed("the retriever was stopped");
    manager_->start_processing();
    inner_->clean_later();
}

void Retriever::stop() {
    if (tasks::Worker::account() == inner_->account.get())
        throw std::logic_error("work of a retriever stops that retriever, which waits for that work");
    inner_->closing.request_stop();
    inner_->pool->close(*inner_->own_work);
    inner_->pool->close(*inner_->account);
    if (is_owner_) manager_->shut_down();
}

Retriever::CorePtr Retriever::start_call(std::string_view method, json args, json kwargs) {
    check_arguments(args, kwargs);
    return core_of(inner_->submit(
        priority::call, std::string(method),
        [inner = inner_, method = std::string(method), args = std::move(args), kwargs = std::move(kwargs)](
            const Task& request, const std::stop_token& stop) {
            Connections::Lease site(inner->connections);
            const auto project = method == "nav_search_entity" ? project_in(args, kwargs) : json();
            auto answer = project.is_null() ? site.call(method, args, kwargs, stop)
                                            : project_answer(site, project, stop);
            if (!answer) return failed(request, answer.error());
            return completed(method, {{"sg", std::move(*answer)}});
        }));
}

Retriever::CorePtr Retriever::start_schema(std::optional<EntityId> project) {
    json link;
    if (project) link = {{"type", "Project"}, {"id", *project}};
    return core_of(inner_->submit(
        priority::schema, "schema",
        [inner = inner_, args = json::array({std::move(link)})](const Task& request,
                                                                const std::stop_token& stop) {
            Connections::Lease site(inner->connections);
            auto fields = site.call("schema_read", args, json::object(), stop);
            if (!fields) return failed(request, fields.error());
            auto types = site.call("schema_entity_read", args, json::object(), stop);
            if (!types) return failed(request, types.error());
            return completed("schema", {{"fields", std::move(*fields)}, {"types", std::move(*types)}});
        }));
}

Retriever::CorePtr Retriever::start_method(Method method, json args, json kwargs) {
    check_arguments(args, kwargs);
    if (!method) throw std::invalid_argument("there is no method to execute");
    return core_of(
        inner_->submit(priority::call, "method",
                       [inner = inner_, method = std::move(method), args = std::move(args),
                        kwargs = std::move(kwargs)](const Task&, const std::stop_token& stop) {
                           Connections::Lease lease(inner->connections);
                           LeasedSite site(lease, stop);
                           return completed("method", {{"return_value", method(site, args, kwargs)}});
                       }));
}

Retriever::CorePtr Retriever::start_attachment(json attachment, CachePolicy cache) {
    auto source = std::make_unique<AttachmentSource>(std::move(attachment), inner_->connections.url());
    return core_of(FileRequest::start(inner_, attachment_kind, std::move(source), Image::path_only, cache));
}

Retriever::CorePtr Retriever::start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) {
    std::unique_ptr<Source> source;
    if (thumbnail.url && !FileCache::key(*thumbnail.url).empty())
        source =
            std::make_unique<ThumbnailSource>(std::move(*thumbnail.url), std::move(thumbnail.entity_type),
                                              thumbnail.entity_id, std::move(thumbnail.field));
    return core_of(
        FileRequest::start(inner_, thumbnail_kind, std::move(source), options.image, options.cache));
}

Retriever::CorePtr Retriever::start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                                     ThumbnailOptions options) {
    auto source = std::make_unique<UploadedThumbnail>(inner_->connections.url(), entity_type, entity_id);
    return core_of(
        FileRequest::start(inner_, thumbnail_kind, std::move(source), options.image, options.cache));
}

std::filesystem::path Retriever::fetch_here(const Source& source) {
    if (inner_->pool->is_closed()) throw Closed("the task manager was shut down");
    const tasks::Presence here(inner_->pool, inner_->account);
    if (!here) throw Closed("the retriever was stopped");
    auto file = source.find(inner_->cache());
    if (file && !*file) {
        const auto helper = std::make_shared<Helper>(*inner_, source);
        const auto stop = inner_->closing.get_token();
        const std::stop_callback leave(stop, [&] { inner_->downloads().leave(*helper); });
        inner_->downloads().join_here(source.key(), helper);
        file = helper->wait(stop);
        inner_->downloads().leave(*helper);
    }
    if (!file) throw Error(file.error().cause, file.error().message, file.error().site_code);
    if (!*file) throw Error(Cause::bad_request, "the site has no such thumbnail");
    return **file;
}

std::filesystem::path Retriever::download_thumbnail(const std::string& url) {
    if (FileCache::key(url).empty()) throw std::invalid_argument("there is no URL to download from");
    return fetch_here(ThumbnailSource(url, {}, 0, std::nullopt));
}

std::filesystem::path Retriever::download_thumbnail_source(const std::string& entity_type,
                                                           EntityId entity_id) {
    return fetch_here(UploadedThumbnail(inner_->connections.url(), entity_type, entity_id));
}

Connection Retriever::connect_completed(Completed slot) {
    if (!slot) throw std::invalid_argument("a signal is connected to no function");
    return connect<tasks::RequestCompleted>(inner_->account->completed,
                                            [slot = std::move(slot)](Uid uid, const detail::Box& box) {
                                                const auto& reply = *static_cast<const Reply*>(box.get());
                                                slot(uid, reply.type, reply.data);
                                            });
}

Connection Retriever::connect_failed(Failed slot) {
    return connect<tasks::RequestFailed>(inner_->account->failed, std::move(slot));
}

Connection Retriever::connect_cancelled(Cancelled slot) {
    return connect<tasks::RequestCancelled>(inner_->account->cancelled, std::move(slot));
}

}  // namespace

std::unique_ptr<DataRetriever> make_data_retriever(std::unique_ptr<SiteConnection> site, Options options,
                                                   std::shared_ptr<TaskManager> shared) {
    const bool is_owner = !shared;
    if (is_owner) {
        tasks::Options own;
        own.max_threads = options.owned_threads;
        own.executor = options.executor;
        own.clock = options.clock;
        own.on_error = options.on_error;
        own.name = "retriever";
        shared = tasks::make_task_manager(std::move(own));
    }
    auto pool = tasks::pool_of(*shared);
    auto inner = std::make_shared<Inner>(std::move(site), std::move(options), std::move(pool));
    inner->account->share = inner->options.share;
    return std::make_unique<Retriever>(std::move(shared), is_owner, std::move(inner));
}

}  // namespace sg::retriever
