#pragma once
// A data retriever without threads, on a site in memory.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/retriever.hpp>
#include <sg/testing/tasks.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg::testing {

/// Asked for files: `kind` is "thumbnail", "thumbnail_source" or "attachment", `what` the record of an
/// attachment, or `type`, `id` and of a thumbnail also `url` and `field`. The file; nullopt: the site has
/// none.
using Files =
    std::function<std::optional<std::filesystem::path>(std::string_view kind, const nlohmann::json& what)>;

/// Requests are tasks of a `FakeTasks` and run when those do; signals come when a request ends. Without
/// `files` the site has none; with them a file is always a new one (`download_…`).
///
/// Threads:  one.
/// Lifetime: outlives every `Pending` and `Connection` it gave; site and tasks outlive it.
class FakeRetriever final : public DataRetriever {
    using Json = nlohmann::json;

public:
    FakeRetriever(Site& site, FakeTasks& tasks, Files files = {})
        : site_(site), tasks_(tasks), files_(std::move(files)) {
        on_stopped_ = tasks_.on_task_stopped([this](Uid uid, const std::optional<Group>&) {
            if (open_.erase(uid) > 0) tell(cancelled_, uid);
        });
    }
    FakeRetriever(const FakeRetriever&) = delete;
    FakeRetriever& operator=(const FakeRetriever&) = delete;

    void start() override {}
    void stop() override { throw Error(Cause::not_supported, "the host ends its data retriever by itself"); }
    std::size_t clear() override {
        std::size_t cleared = 0;
        for (const auto& [uid, unused] : std::map(open_)) cleared += tasks_.stop_task(uid);
        return cleared;
    }
    bool stop_work(Uid uid) override { return open_.contains(uid) && tasks_.stop_task(uid) > 0; }

    std::filesystem::path download_thumbnail(const std::string& url) override {
        if (url.empty()) throw std::invalid_argument("there is no URL to download from");
        return file("thumbnail", {{"url", url}});
    }
    std::filesystem::path download_thumbnail_source(const std::string& entity_type,
                                                    EntityId entity_id) override {
        return file("thumbnail_source", {{"type", entity_type}, {"id", entity_id}});
    }

protected:
    CorePtr start_call(std::string_view method, Json args, Json kwargs) override {
        check(args, kwargs);
        return add(method, [this, method = std::string(method), args = std::move(args),
                            kwargs = std::move(kwargs)](std::stop_token) {
            auto named = by_name(method, args, kwargs);
            if (method != "find_one") return reply(method, {{"sg", site_.call(method, named)}});
            named["limit"] = 1;
            const auto rows = site_.call("find", named);
            return reply(method, {{"sg", rows.empty() ? Json() : rows.front()}});
        });
    }
    CorePtr start_schema(std::optional<EntityId> project) override {
        return add("schema", [this, project](std::stop_token) {
            Json arguments = Json::object();
            if (project) arguments["project"] = EntityRef{"Project", *project, {}};
            return reply("schema", {{"fields", site_.call("schema_read", arguments)},
                                    {"types", site_.call("schema_entity_read", arguments)}});
        });
    }
    CorePtr start_method(Method method, Json args, Json kwargs) override {
        check(args, kwargs);
        if (!method) throw std::invalid_argument("there is no method to execute");
        return add("method", [this, method = std::move(method), args = std::move(args),
                              kwargs = std::move(kwargs)](std::stop_token) {
            return reply("method", {{"return_value", method(site_, args, kwargs)}});
        });
    }
    CorePtr start_attachment(Json attachment, CachePolicy) override {
        return add("download_attachment", [this, attachment = std::move(attachment)](std::stop_token) {
            return reply("download_attachment", {{"file_path", file("attachment", attachment).string()}});
        });
    }
    CorePtr start_thumbnail(Thumbnail thumbnail, ThumbnailOptions options) override {
        const auto text = [](const std::optional<std::string>& from) { return from ? Json(*from) : Json(); };
        Json what{{"url", text(thumbnail.url)},
                  {"type", thumbnail.entity_type},
                  {"id", thumbnail.entity_id},
                  {"field", text(thumbnail.field)}};
        const bool is_none = !thumbnail.url || thumbnail.url->empty();
        return add("thumbnail", [this, what = std::move(what), options, is_none](std::stop_token) {
            if (is_none) return reply("check_thumbnail", {{"thumb_path", nullptr}, {"image", nullptr}});
            return picture("thumbnail", what, options);
        });
    }
    CorePtr start_thumbnail_source(std::string entity_type, EntityId entity_id,
                                   ThumbnailOptions options) override {
        Json what{{"type", std::move(entity_type)}, {"id", entity_id}};
        return add("thumbnail_source", [this, what = std::move(what), options](std::stop_token) {
            return picture("thumbnail_source", what, options);
        });
    }
    Connection connect_completed(Completed slot) override { return connect(completed_, std::move(slot)); }
    Connection connect_failed(Failed slot) override { return connect(failed_, std::move(slot)); }
    Connection connect_cancelled(Cancelled slot) override { return connect(cancelled_, std::move(slot)); }

private:
    template <class Function>
    using Slots = std::map<int, Function>;

    template <class Function>
    Connection connect(Slots<Function>& slots, Function slot) {
        struct Link final : Connection::Slot {
            Link(Slots<Function>& all, int own) : slots(all), key(own) {}
            void disconnect() noexcept override { slots.erase(key); }
            Slots<Function>& slots;
            int key;
        };
        slots.emplace(++last_slot_, std::move(slot));
        return Connection(std::make_shared<Link>(slots, last_slot_));
    }
    template <class Function, class... Args>
    static void tell(const Slots<Function>& slots, const Args&... args) {
        for (const auto& [key, slot] : Slots<Function>(slots)) slot(args...);
    }

    static void check(const Json& args, const Json& kwargs) {
        if (!args.is_array()) throw std::invalid_argument("the arguments by place are no array");
        if (!kwargs.is_object()) throw std::invalid_argument("the arguments by name are no object");
    }
    static Reply reply(std::string_view type, Json data) { return {std::string(type), std::move(data)}; }

    /// Names and order of the official Python client, and the site's own names.
    static Json by_name(const std::string& method, const Json& args, const Json& kwargs) {
        static const std::map<std::string, std::vector<std::string>> orders{
            {"find", {"type", "filters", "fields", "order", "filter_operator", "limit", "retired_only"}},
            {"find_one", {"type", "filters", "fields", "order", "filter_operator", "retired_only"}},
            {"create", {"type", "data", "fields"}},
            {"update", {"type", "id", "data"}},
            {"delete", {"type", "id"}}};
        Json named = Json::object();
        if (method == "find" || method == "find_one")
            named = {{"filters", Json::array()},
                     {"fields", Json::array()},
                     {"order", Json::array()},
                     {"limit", 0},
                     {"retired_only", false}};
        if (method == "create") named = {{"fields", Json::array()}};
        const auto order = orders.find(method);
        for (std::size_t i = 0; i < args.size(); ++i) {
            if (order == orders.end() || i >= order->second.size())
                throw Error(Cause::invalid, "the fake retriever takes fewer arguments for " + method);
            if (!args[i].is_null()) named[order->second[i]] = args[i];
        }
        for (const auto& [name, value] : kwargs.items()) {
            const auto own = name == "entity_type"     ? "type"
                             : name == "entity_id"     ? "id"
                             : name == "return_fields" ? "fields"
                                                       : name;
            if (!value.is_null()) named[own] = value;
        }
        return named;
    }

    std::filesystem::path file(std::string_view kind, const Json& what) const {
        const auto found = files_ ? files_(kind, what) : std::nullopt;
        if (!found) throw Error(Cause::bad_request, "the site has no such file");
        return *found;
    }
    Reply picture(std::string_view kind, const Json& what, const ThumbnailOptions& options) const {
        const auto found = files_ ? files_(kind, what) : std::nullopt;
        Json data{{"thumb_path", found ? Json(found->string()) : Json()}, {"image", nullptr}};
        if (found && options.image == Image::load) {
            std::ifstream in(*found, std::ios::binary);
            data["image"] = Json::binary({std::istreambuf_iterator<char>(in), {}});
        }
        return reply("download_thumbnail", std::move(data));
    }

    template <class F>
    CorePtr add(std::string_view name, F work) {
        TaskSpec spec;
        spec.name = name;
        const auto uid = std::make_shared<Uid>();
        const auto request = tasks_.async(
            [this, uid, work = std::move(work)](std::stop_token stop) {
                try {
                    auto made = work(std::move(stop));
                    if (open_.erase(*uid) > 0) tell(completed_, *uid, made.type, made.data);
                    return made;
                } catch (const std::exception& error) {
                    if (open_.erase(*uid) > 0) tell(failed_, *uid, std::string(error.what()));
                    throw;
                }
            },
            std::move(spec));
        *uid = request.uid();
        open_.emplace(*uid, true);
        return request.core();
    }

    Site& site_;
    FakeTasks& tasks_;
    const Files files_;
    std::map<Uid, bool> open_;
    int last_slot_ = 0;
    Slots<Completed> completed_;
    Slots<Failed> failed_;
    Slots<Cancelled> cancelled_;
    Connection on_stopped_;  // goes first
};

}  // namespace sg::testing
