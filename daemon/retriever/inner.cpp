#include "retriever/inner.hpp"

#include "tasks/failure_text.hpp"

namespace sg::retriever {

using nlohmann::json;

Ending completed(std::string type, json data) {
    return {std::make_shared<const Reply>(Reply{std::move(type), std::move(data)}), nullptr};
}

Ending failed(const tasks::Task& request, const Failure& why) {
    try {
        throw Error(why.cause, why.message.empty() ? std::string(to_string(why.cause)) : why.message,
                    why.site_code);
    } catch (const Error&) {
        return {nullptr, tasks::current_failure(request)};
    }
}

std::shared_ptr<tasks::Task> Inner::submit(
    int priority, std::string name, std::function<Ending(const tasks::Task& request, std::stop_token)> work) {
    const auto request = pool->open_request(account);
    tasks::StageSpec how;
    how.priority = priority;
    how.timeout = options.stage_timeout;
    how.name = std::move(name);
    pool->begin_stage(
        *request,
        [inner = shared_from_this(), request, work = std::move(work)](tasks::Task& stage) mutable {
            const TimeLimit limit(stage, [&](std::shared_ptr<const TaskFailure> late) {
                inner->pool->end_request(*request, nullptr, std::move(late));
            });
            Ending ending;
            try {
                ending = work(*request, stage.stop_source.get_token());
            } catch (...) {
                ending.failure = tasks::current_failure(*request);
            }
            work = nullptr;
            inner->pool->end_request(*request, std::move(ending.value), std::move(ending.failure));
        },
        std::move(how));
    return request;
}

void Inner::clean_later() {
    if (is_cleaning.exchange(true)) return;
    const std::shared_ptr<void> done(nullptr,
                                     [inner = shared_from_this()](void*) { inner->is_cleaning = false; });
    try {
        const auto request = pool->open_request(own_work);
        tasks::StageSpec how;
        how.priority = priority::clean;
        how.name = "clean";
        pool->begin_stage(
            *request,
            [inner = shared_from_this(), request, done](tasks::Task& stage) {
                // What hinders it hinders it the next time as well, and no request depends on it.
                static_cast<void>(inner->cache().clean(stage.stop_source.get_token()));
                inner->pool->end_request(*request, nullptr, nullptr);
            },
            std::move(how));
    } catch (const Closed&) {
    } catch (const QueueFull&) {
        return;  // the next file that is stored tries again
    }
}

}  // namespace sg::retriever
