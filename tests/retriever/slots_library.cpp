// A library that uses a retriever, to be unloaded with requests under way.

#include <sg/retriever.hpp>
#include <sg/tasks.hpp>
#include <vector>

namespace {

struct Use {
    sg::Group group;
    std::vector<sg::Connection> connections;
    std::vector<sg::Request> requests;
    std::vector<sg::Pending<nlohmann::json>> work;
    std::vector<std::shared_future<sg::Reply>> futures;
    int calls = 0;
};

/// Its destructor is this library's.
struct Capture {
    std::shared_ptr<std::vector<int>> data = std::make_shared<std::vector<int>>(100, 7);
};

}  // namespace

extern "C" void* sg_test_begin(sg::DataRetriever& data, sg::TaskManager& tasks, const char* url) {
    auto* const use = new Use{tasks.next_group_id(), {}, {}, {}, {}, 0};
    use->connections.push_back(
        data.on_work_completed([use, own = Capture()](sg::Uid, const std::string&, const nlohmann::json&) {
            use->calls += static_cast<int>(own.data->size());
        }));
    use->connections.push_back(
        data.on_work_failure([use, own = Capture()](sg::Uid, const std::string&) { ++use->calls; }));
    use->connections.push_back(data.on_work_cancelled([use, own = Capture()](sg::Uid) { ++use->calls; }));
    struct Own : std::exception {};
    for (int i = 0; i < 10; ++i) {
        use->requests.push_back(data.execute_method(
            [own = Capture(), i](sg::Site&, const nlohmann::json&, const nlohmann::json&) {
                if (i % 3 == 0) throw Own();
                return nlohmann::json(own.data->size());
            }));
        use->requests.push_back(
            data.request_thumbnail(std::string(url) + std::to_string(i), "Version", 1, std::nullopt));
        sg::TaskSpec spec;
        spec.group = use->group;
        use->work.push_back(tasks.add_task(
            [own = Capture(), i](const sg::TaskContext&) {
                if (i % 3 == 1) throw Own();
                return nlohmann::json(own.data->size());
            },
            spec));
        use->futures.push_back(use->requests.back().future());
    }
    return use;
}

extern "C" void sg_test_stop(void* given, sg::TaskManager& tasks) {
    tasks.stop_task_group(static_cast<Use*>(given)->group);
}

/// 0: nobody was called.
extern "C" int sg_test_let_go(void* given) {
    auto* const use = static_cast<Use*>(given);
    const auto calls = use->calls;
    delete use;
    return calls;
}
