// Does with its data retriever what the event's `meta` says, and logs `result` and what came of it as JSON.
//
//   {"do": "start", "all": [{"name", "what", …}, …]}  begins requests; `what` and its members as in `begin`;
//       with "times" so many of each, with a number behind the name; a URL's {} stands for that number
//   {"do": "wait", "count": 3}      until so many requests have ended; what each ended as, in their order
//   {"do": "wait", "count": 3, "brief": true}  how many of each kind, and of how many requests
//   {"do": "signals"}               the same without waiting
//   {"do": "get", "name": "a"}      waits for that one
//   {"do": "await", "name": "a"}    the same with co_await
//   {"do": "stop", "name": "a"}     {"do": "stop_uid", "uid": 7}     {"do": "clear"}
//   {"do": "helper", "url": …}      {"do": "helper", "type": …, "id": …}
//   {"do": "refusals"}              what the retriever throws by itself
//   {"do": "forget"}                lets go of all requests
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <sg/plugin.hpp>
#include <thread>

namespace {

using nlohmann::json;

/// A thread by a small number.
class Threads {
public:
    int number() {
        const auto [found, is_new] =
            known_.try_emplace(std::this_thread::get_id(), static_cast<int>(known_.size()));
        return found->second;
    }

private:
    std::map<std::thread::id, int> known_;
};

class Retrieves {
public:
    sg::Async operator()(const sg::Event& event, sg::Context& context) {
        auto& data = context.retriever();
        connect(data);
        const auto& meta = event.meta();
        const auto what = meta.value("do", "");
        json result;
        if (what == "await") {
            auto request = request_of(meta.at("name"));
            try {
                const auto reply = co_await request;
                result = shown(reply);
            } catch (const sg::Error& error) {
                result = shown(error);
            }
        } else {
            result = follow(what, meta, data);
        }
        context.logger().info("result {}", result.dump());
    }

private:
    json follow(const std::string& what, const json& meta, sg::DataRetriever& data) {
        if (what == "start") {
            json uids = json::object();
            const auto times = meta.value("times", 1);
            for (const auto& each : meta.at("all"))
                for (int i = 0; i < times; ++i) {
                    auto one = each;
                    if (times > 1) one["name"] = each.at("name").get<std::string>() + std::to_string(i);
                    if (times > 1 && one.contains("url")) number(one["url"], i);
                    auto request = begin(one, data);
                    const auto name = one.at("name").get<std::string>();
                    if (times == 1) uids[name] = request.uid().value();
                    std::lock_guard lock(mutex_);
                    names_[request.uid().value()] = name;
                    requests_.insert_or_assign(name, std::move(request));
                }
            return uids;
        }
        if (what == "wait" || what == "signals") {
            std::unique_lock lock(mutex_);
            const auto count = meta.value("count", std::size_t{0});
            changed_.wait(lock, [&] { return signals_.size() >= count; });
            if (meta.value("brief", false)) return brief();
            for (auto& signal : signals_) {
                const auto name = names_.find(signal.at("uid").get<std::uint64_t>());
                signal["name"] = name == names_.end() ? json() : json(name->second);
            }
            return signals_;
        }
        if (what == "get") return outcome([&] { return shown(request_of(meta.at("name")).get()); });
        if (what == "stop") return data.stop_work(request_of(meta.at("name")).uid());
        if (what == "stop_uid") return data.stop_work(sg::Uid(meta.at("uid").get<std::uint64_t>()));
        if (what == "clear") return data.clear();
        if (what == "helper")
            return outcome([&]() -> json {
                if (meta.contains("url"))
                    return data.download_thumbnail(meta.at("url").get<std::string>()).string();
                return data
                    .download_thumbnail_source(meta.at("type").get<std::string>(),
                                               meta.at("id").get<sg::EntityId>())
                    .string();
            });
        if (what == "refusals") return refusals(data);
        std::lock_guard lock(mutex_);
        requests_.clear();
        return nullptr;
    }

    static void number(json& url, int i) {
        auto text = url.get<std::string>();
        if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, std::to_string(i));
        url = text;
    }

    json brief() const {
        json counts{{"c", 0}, {"f", 0}, {"x", 0}};
        std::set<std::uint64_t> uids;
        for (const auto& signal : signals_) {
            auto& count = counts.at(signal.at("kind").get<std::string>());
            count = count.get<int>() + 1;
            const auto uid = signal.at("uid").get<std::uint64_t>();
            if (names_.contains(uid)) uids.insert(uid);
        }
        counts["own"] = uids.size();
        std::set<int> threads;
        for (const auto& signal : signals_) threads.insert(signal.at("thread").get<int>());
        counts["threads"] = threads.size();
        return counts;
    }

    static sg::Request begin(const json& one, sg::DataRetriever& data) {
        const auto what = one.at("what").get<std::string>();
        const auto args = one.value("args", json::array());
        const auto kwargs = one.value("kwargs", json::object());
        const auto policy = one.value("refresh", false) ? sg::CachePolicy::refresh : sg::CachePolicy::use;
        const sg::ThumbnailOptions options{one.value("load", false) ? sg::Image::load : sg::Image::path_only,
                                           policy};
        if (what == "find") return data.execute_find(args, kwargs);
        if (what == "find_one") return data.execute_find_one(args, kwargs);
        if (what == "create") return data.execute_create(args, kwargs);
        if (what == "update") return data.execute_update(args, kwargs);
        if (what == "delete") return data.execute_delete(args, kwargs);
        if (what == "text_search") return data.execute_text_search(args, kwargs);
        if (what == "nav_expand") return data.execute_nav_expand(args, kwargs);
        if (what == "nav_search_string") return data.execute_nav_search_string(args, kwargs);
        if (what == "nav_search_entity") return data.execute_nav_search_entity(args, kwargs);
        if (what == "schema")
            return data.get_schema(one.contains("project")
                                       ? std::optional(one.at("project").get<sg::EntityId>())
                                       : std::nullopt);
        if (what == "attachment") return data.request_attachment(one.at("attachment"), policy);
        if (what == "thumbnail") {
            const auto text = [&](const char* name) -> std::optional<std::string> {
                if (!one.contains(name) || one.at(name).is_null()) return std::nullopt;
                return one.at(name).get<std::string>();
            };
            return data.request_thumbnail(text("url"), "Version", one.value("id", sg::EntityId{0}),
                                          text("field"), options);
        }
        if (what == "thumbnail_source")
            return data.request_thumbnail_source("Version", one.value("id", sg::EntityId{0}), options);
        return data.execute_method(
            [gate = one.value("gate", ""), mode = one.value("mode", "")](sg::Site& site, const json& by_place,
                                                                         const json& by_name) -> json {
                while (!gate.empty() && !std::filesystem::exists(gate))
                    std::this_thread::sleep_for(std::chrono::milliseconds(2));
                if (mode == "throw") throw std::runtime_error("");
                return {{"args", by_place},
                        {"kwargs", by_name},
                        {"found", mode == "find" ? site.find("Shot", nullptr) : json()}};
            },
            args, kwargs);
    }

    /// Slots see the requests of all calls: connected once.
    void connect(sg::DataRetriever& data) {
        if (!connections_.empty()) return;
        connections_.push_back(
            data.on_work_completed([this](sg::Uid uid, const std::string& type, const json& what) {
                add({{"uid", uid.value()}, {"kind", "c"}, {"type", type}, {"data", shown(what)}});
            }));
        connections_.push_back(data.on_work_failure([this](sg::Uid uid, const std::string& message) {
            add({{"uid", uid.value()}, {"kind", "f"}, {"message", message}});
        }));
        connections_.push_back(data.on_work_cancelled([this](sg::Uid uid) {
            add({{"uid", uid.value()}, {"kind", "x"}});
        }));
    }
    void add(json signal) {
        std::lock_guard lock(mutex_);
        signal["thread"] = threads_.number();
        signals_.push_back(std::move(signal));
        changed_.notify_all();
    }

    sg::Request request_of(const json& name) {
        std::lock_guard lock(mutex_);
        return requests_.at(name.get<std::string>());
    }

    static json refusals(sg::DataRetriever& data) {
        json said = json::object();
        said["args"] = outcome([&]() -> json { return data.execute_find(json::object()).uid().value(); });
        said["kwargs"] =
            outcome([&]() -> json { return data.execute_find(json::array(), json::array()).uid().value(); });
        said["method"] = outcome([&]() -> json { return data.execute_method(nullptr).uid().value(); });
        said["stop"] = outcome([&]() -> json {
            data.stop();
            return nullptr;
        });
        data.start();  // it is started: nothing happens
        return said;
    }

    /// Bytes as their text, and of schemas the keys: a log line holds no others, and no more.
    static json shown(const json& data) {
        auto copy = data;
        if (copy.is_object() && copy.contains("fields") && copy.contains("types"))
            copy = {{"fields", copy.at("fields").size()}, {"types", copy.at("types").size()}};
        if (copy.is_object() && copy.contains("image") && copy.at("image").is_binary()) {
            const auto& bytes = copy.at("image").get_binary();
            copy["image"] = std::string(bytes.begin(), bytes.end());
        }
        return copy;
    }
    static json shown(const sg::Reply& reply) { return {{"type", reply.type}, {"data", shown(reply.data)}}; }
    static json shown(const sg::Error& error) {
        return {{"cause", sg::to_string(error.cause())},
                {"message", error.what()},
                {"site_code", error.site_code()}};
    }
    template <class F>
    static json outcome(F what) {
        try {
            return what();
        } catch (const sg::Error& error) {
            return shown(error);
        } catch (const std::invalid_argument& error) {
            return {{"invalid_argument", error.what()}};
        } catch (const std::exception& error) {
            return {{"exception", error.what()}};
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    Threads threads_;
    std::map<std::uint64_t, std::string> names_;
    std::map<std::string, sg::Request> requests_;
    json signals_ = json::array();
    std::vector<sg::Connection> connections_;  // goes first
};

}  // namespace

SG_PLUGIN(registrar) {
    auto own = std::make_shared<Retrieves>();
    registrar.on("*", [own](const sg::Event& event, sg::Context& context) { return (*own)(event, context); });
}
