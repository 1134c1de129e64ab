#include "host/run/host_retriever.hpp"

#include <future>
#include <stdexcept>

#include "tasks/failure_text.hpp"

namespace sg::host {
namespace {

using nlohmann::json;

// As in the daemon's retriever, for what waits here; and for methods among the plugin's own tasks.
constexpr int attachment_priority = 55, thumbnail_priority = 50, schema_priority = 40, call_priority = 30;

void check_arguments(const json& args, const json& kwargs) {
    if (!args.is_array()) throw std::invalid_argument("the arguments by place are no array");
    if (!kwargs.is_object()) throw std::invalid_argument("the arguments by name are no object");
}

/// Waits on this thread, which may be one of the pool's: nothing of the pool's is waited for.
const Reply& wait_for_reply(tasks::Pool& pool, tasks::Task& request) {
    std::promise<void> ended;
    pool.watch(request, [&](const detail::Core&) { ended.set_value(); });
    ended.get_future().wait();
    return *static_cast<const Reply*>(request.outcome().get());
}

bool is_refresh(CachePolicy cache) { return cache == CachePolicy::refresh; }

}  // namespace

std::shared_ptr<HostRetriever::Parts> HostRetriever::get() {
    std::lock_guard lock(mutex_);
    if (has_ended_) throw Closed("the host ends: no more requests are taken");
    if (!parts_) parts_ = std::make_shared<Parts>(channel_, turn_, tasks_.get());
    return parts_;
}

std::shared_ptr<HostRetriever::Parts> HostRetriever::known() {
    std::lock_guard lock(mutex_);
    return parts_;
}

HostRetriever::TaskPtr HostRetriever::ask(const From& from, std::string what, const json& arguments,
                                          int priority, Image image, std::stop_token stop) {
    const auto parts = get();
    AskData ask;
    ask.callback = from.callback;
    ask.event = from.event;
    ask.session_uuid = from.session_uuid;
    try {
        ask.arguments = arguments.dump();
    } catch (const json::exception&) {
        throw std::invalid_argument("the arguments of '" + what + "' are not valid UTF-8");
    }
    ask.what = std::move(what);
    const auto request = parts->pool->open_request(parts->account, std::move(stop));
    request->stage_state = TaskState::ready;
    parts->link->send(request, std::move(ask), priority, image);
    return request;
}

HostRetriever::TaskPtr HostRetriever::run(From from, Method method, json args, json kwargs,
                                          std::stop_token stop) {
    const auto parts = get();
    const auto request = parts->pool->open_request(parts->account, std::move(stop));
    const auto id = request->uid().value();
    {
        std::lock_guard lock(parts->mutex);
        parts->methods.emplace(id, request);
    }
    tasks::StageSpec how;
    how.priority = call_priority;
    how.name = "method";
    parts->pool->begin_stage(
        *request,
        [this, request, pool = parts->pool, from = std::move(from), method = std::move(method),
         args = std::move(args), kwargs = std::move(kwargs)](tasks::Task& stage) mutable {
            std::shared_ptr<const Reply> reply;
            std::shared_ptr<const TaskFailure> failure;
            try {
                LastingSite site(site_calls_, std::move(from), stage.stop_source.get_token());
                reply = std::make_shared<const Reply>(
                    Reply{"method", {{"return_value", method(site, args, kwargs)}}});
            } catch (...) {
                failure = tasks::current_failure(*request);
            }
            method = nullptr;  // the plugin's: gone before anybody hears of its end
            pool->end_request(*request, std::move(reply), std::move(failure));
        },
        std::move(how));
    parts->pool->watch(*request, [weak = std::weak_ptr<Parts>(parts), id](const detail::Core&) {
        const auto alive = weak.lock();
        if (!alive) return;
        decltype(alive->methods)::node_type ended;
        std::lock_guard lock(alive->mutex);
        ended = alive->methods.extract(id);
    });
    return request;
}

std::size_t HostRetriever::clear() {
    const auto parts = known();
    if (!parts) return 0;
    std::vector<TaskPtr> methods;
    {
        std::lock_guard lock(parts->mutex);
        for (const auto& [id, request] : parts->methods) methods.push_back(request);
    }
    std::size_t cleared = 0;
    for (const auto& request : methods)
        if (parts->pool->clear(*request)) ++cleared;
    return cleared + parts->link->clear();
}

bool HostRetriever::stop_work(Uid uid) {
    const auto parts = known();
    const auto request = parts ? parts->pool->find_request(*parts->account, uid) : nullptr;
    return request && request->stop();
}

void HostRetriever::answer(DataAnswer answer) {
    if (const auto parts = known()) parts->link->take(std::move(answer));
}

void HostRetriever::cleared(DataCleared cleared) {
    if (const auto parts = known()) parts->link->take(cleared);
}

void HostRetriever::end() {
    std::shared_ptr<Parts> parts;
    {
        std::lock_guard lock(mutex_);
        has_ended_ = true;
        parts.swap(parts_);
    }
    if (!parts) return;
    parts->link->close();
    parts->pool->close(*parts->account);
    parts->link->end();
}

void HostRetriever::close() {
    if (const auto parts = known()) parts->link->close();
}

HostRetriever::From CallRetriever::from() const {
    return {callback_, event_.id(), std::string(event_.session_uuid())};
}

HostRetriever::TaskPtr CallRetriever::ask(std::string what, const json& arguments, int priority,
                                          Image image) {
    return host_.ask(from(), std::move(what), arguments, priority, image, stop_.get_token());
}

void CallRetriever::stop() {
    throw Error(Cause::not_supported, "the host ends its data retriever by itself");
}

CallRetriever::CorePtr CallRetriever::start_call(std::string_view method, json args, json kwargs) {
    check_arguments(args, kwargs);
    return tasks::core_of(
        ask(std::string(method), {{"args", std::move(args)}, {"kwargs", std::move(kwargs)}}, call_priority));
}

CallRetriever::CorePtr CallRetriever::start_schema(std::optional<EntityId> project) {
    return tasks::core_of(ask("schema", {{"project", project ? json(*project) : json()}}, schema_priority));
}

CallRetriever::CorePtr CallRetriever::start_method(Method method, json args, json kwargs) {
    check_arguments(args, kwargs);
    if (!method) throw std::invalid_argument("there is no method to execute");
    return tasks::core_of(
        host_.run(from(), std::move(method), std::move(args), std::move(kwargs), stop_.get_token()));
}

CallRetriever::CorePtr CallRetriever::start_attachment(json attachment, CachePolicy cache) {
    return tasks::core_of(ask("attachment",
                              {{"attachment", std::move(attachment)}, {"refresh", is_refresh(cache)}},
                              attachment_priority));
}

CallRetriever::CorePtr CallRetriever::start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) {
    const auto text = [](std::optional<std::string>& from) { return from ? json(std::move(*from)) : json(); };
    return tasks::core_of(ask("thumbnail",
                              {{"url", text(thumbnail.url)},
                               {"type", std::move(thumbnail.entity_type)},
                               {"id", thumbnail.entity_id},
                               {"field", text(thumbnail.field)},
                               {"refresh", is_refresh(options.cache)}},
                              thumbnail_priority, options.image));
}

CallRetriever::CorePtr CallRetriever::start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                                             ThumbnailOptions options) {
    return tasks::core_of(
        ask("thumbnail_source",
            {{"type", std::move(entity_type)}, {"id", entity_id}, {"refresh", is_refresh(options.cache)}},
            thumbnail_priority, options.image));
}

std::filesystem::path CallRetriever::download_thumbnail(const std::string& url) {
    if (url.empty()) throw std::invalid_argument("there is no URL to download from");
    const auto request =
        ask("thumbnail", {{"url", url}, {"type", ""}, {"id", 0}, {"field", nullptr}, {"refresh", false}},
            thumbnail_priority);
    const auto path = wait_for_reply(request->pool(), *request).path();
    if (!path) throw std::invalid_argument("there is no URL to download from");  // it has no path
    return *path;
}

std::filesystem::path CallRetriever::download_thumbnail_source(const std::string& entity_type,
                                                               EntityId entity_id) {
    const auto request =
        ask("thumbnail_source", {{"type", entity_type}, {"id", entity_id}, {"refresh", false}},
            thumbnail_priority);
    const auto path = wait_for_reply(request->pool(), *request).path();
    if (!path) throw Error(Cause::bad_request, "the site has no such thumbnail");
    return *path;
}

Connection CallRetriever::connect_completed(Completed slot) {
    if (!slot) throw std::invalid_argument("a signal is connected to no function");
    return host_.connect<tasks::RequestCompleted>(
        &tasks::Account::completed, [slot = std::move(slot)](Uid uid, const detail::Box& box) {
            const auto& reply = *static_cast<const Reply*>(box.get());
            slot(uid, reply.type, reply.data);
        });
}

Connection CallRetriever::connect_failed(Failed slot) {
    return host_.connect<tasks::RequestFailed>(&tasks::Account::failed, std::move(slot));
}

Connection CallRetriever::connect_cancelled(Cancelled slot) {
    return host_.connect<tasks::RequestCancelled>(&tasks::Account::cancelled, std::move(slot));
}

}  // namespace sg::host
