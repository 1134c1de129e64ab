#include "sandbox/production.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "util/clock.hpp"
#include "util/thread.hpp"

namespace sg::sandbox {
namespace {

constexpr std::size_t shots_at_a_time = 6;

}  // namespace

bool Production::Work::is_final() const {
    return std::ranges::all_of(tasks, [](const Task& task) { return task.status == "fin"; });
}

Production::Production(Site& site, Options options)
    : site_(site), options_(std::move(options)), random_(options_.seed) {
    add_people();
    add_steps();
    add_project("Aurora", "aur");
    add_project("Bluebell Lane", "blu");
    add_project("Cold Harbour", "col");
    for (std::size_t i = 0; i < shots_.size(); ++i) (shots_[i].is_final() ? done_ : waiting_).push_back(i);
    for (auto i = waiting_.size(); i > 1; --i) std::swap(waiting_[i - 1], waiting_[below(i)]);
    fill_active();
}
Production::~Production() { stop(); }

void Production::fill_active() {
    while (active_.size() < shots_at_a_time && !waiting_.empty()) {
        active_.push_back(waiting_.back());
        waiting_.pop_back();
    }
}

void Production::start() {
    if (thread_.joinable()) return;
    thread_ = start_thread("sandbox-play", [this](const std::stop_token& stop) {
        SystemClock clock;
        const auto pause = std::chrono::duration_cast<Clock::Duration>(
            std::chrono::duration<double>(1 / std::max(options_.rate, 0.001)));
        auto next = clock.now() + pause;
        while (clock.sleep_until(next, stop)) {
            step();
            // After a long stop of the machine it goes on at its rate, it does not catch up.
            next = std::max(next + pause, clock.now() - std::chrono::seconds(1));
        }
    });
}

void Production::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

PlayedChange Production::step() {
    PlayedChange change;
    {
        std::lock_guard lock(mutex_);
        change = act();
        ++counts_[change.kind];
    }
    if (options_.on_change) options_.on_change(change);
    return change;
}

PlayedChange Production::act() {
    const bool idle = active_.empty();
    if (idle || (done_.size() > 4 && chance(4))) return reopen();
    const auto roll = below(100);
    if (roll < 72) return move_task();
    if (roll < 76) return move_asset();
    if (roll < 82) return add_version();
    if (roll < 85) return review();
    if (roll < 88) return put_on_playlist();
    if (roll < 92) return add_note();
    if (roll < 94) return reply();
    if (roll < 95) return close_note();
    return roll < 98 ? rename() : assign();
}

/// An asset's task moves on; the last of them begins anew.
PlayedChange Production::move_asset() {
    auto& asset = any(assets_);
    auto& task = any(asset.tasks);
    const auto next = task.status == "wtg"  ? "ip"
                      : task.status == "ip" ? "rev"
                                            : (task.status == "rev" && !chance(12) ? "fin" : "ip");
    return set_status(asset, task, next, "asset");
}

PlayedChange Production::move_task() {
    const auto at = below(active_.size());
    auto& shot = shots_[active_[at]];
    std::vector<Task*> open;
    for (auto& task : shot.tasks)
        if (task.status != "fin") open.push_back(&task);
    auto& task = *open[below(open.size())];
    const auto next = task.status == "wtg" ? "ip" : task.status == "ip" ? "rev" : chance(12) ? "ip" : "fin";
    auto change = set_status(shot, task, next, "status");
    if (!shot.is_final()) return change;
    shot.was_finished = true;
    done_.push_back(active_[at]);
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(at));
    fill_active();
    return change;
}

PlayedChange Production::reopen() {
    const auto at = below(done_.size());
    auto& shot = shots_[done_[at]];
    active_.push_back(done_[at]);
    done_.erase(done_.begin() + static_cast<std::ptrdiff_t>(at));
    return set_status(shot, shot.tasks[below(shot.tasks.size())], "ip", "reopened");
}

PlayedChange Production::set_status(Work& work, Task& task, const std::string& status, std::string kind) {
    const auto& who = somebody();
    PlayedChange change{std::move(kind), who.name, work.name + " / " + task.name,
                        "Task",          task.id,  "sg_status_list",
                        task.status,     status,   0};
    change.event = site_.update(as(who.id), "Task", task.id, {{"sg_status_list", status}});
    task.status = status;
    return change;
}

PlayedChange Production::rename() {
    auto& shot = busy_shot();
    const auto& who = somebody();
    const auto name =
        shot.name.ends_with("_x") ? shot.name.substr(0, shot.name.size() - 2) : shot.name + "_x";
    PlayedChange change{"rename", who.name, shot.name, "Shot", shot.id, "code", shot.name, name, 0};
    change.event = site_.update(as(who.id), "Shot", shot.id, {{"code", name}});
    shot.name = name;
    return change;
}

PlayedChange Production::assign() {
    auto& shot = busy_shot();
    auto& task = any(shot.tasks);
    const auto& who = somebody();
    auto at = below(people_.size());
    if (people_[at].id == task.assigned) at = (at + 1) % people_.size();
    const auto& whom = people_[at];
    PlayedChange change{"assign", who.name,  shot.name + " / " + task.name,
                        "Task",   task.id,   "task_assignees",
                        "",       whom.name, 0};
    change.event = site_.update(as(who.id), "Task", task.id,
                                {{"task_assignees", Json::array({link_to("HumanUser", whom.id)})}});
    task.assigned = whom.id;
    return change;
}

std::map<std::string, std::uint64_t> Production::counts() const {
    std::lock_guard lock(mutex_);
    return counts_;
}
std::vector<std::string> Production::finished_shots() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& shot : shots_)
        if (shot.was_finished) out.push_back(shot.name);
    return out;
}
std::size_t Production::shots() const {
    std::lock_guard lock(mutex_);
    return shots_.size();
}

}  // namespace sg::sandbox
