#include "sandbox/production.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "util/clock.hpp"
#include "util/thread.hpp"

namespace sg::sandbox {
namespace {

constexpr std::size_t shots_at_a_time = 6;
constexpr std::array step_names{"Anim", "FX", "Light", "Comp"};
constexpr std::array people_names{"Ada Brandt",  "Bao Nguyen",   "Carla Moreno", "Dev Patel",
                                  "Elif Kaya",   "Femi Okoye",   "Greta Lindh",  "Hugo Marchand",
                                  "Ines Duarte", "Jun Watanabe", "Kofi Mensah",  "Lena Vogt"};
constexpr std::array remarks{"Edges flicker in the last ten frames.",
                             "Lovely. One more pass on the contact shadows?", "Matches the reference now.",
                             "Hold this until the plate is regraded.", "Client asks for a slower push in."};

Caller as(Id person) { return Caller{.user = {"HumanUser", person}}; }

}  // namespace

bool Production::Shot::is_final() const {
    return std::ranges::all_of(tasks, [](const Task& task) { return task.status == "fin"; });
}

Production::Production(Site& site, Options options)
    : site_(site), options_(std::move(options)), random_(options_.seed) {
    add_people();
    for (std::size_t i = 0; i < step_names.size(); ++i)
        steps_.push_back(
            site_.add("Step", {{"code", step_names[i]}, {"entity_type", "Shot"}, {"list_order", i}}));
    add_project("Aurora", "aur");
    add_project("Bluebell Lane", "blu");
    add_project("Cold Harbour", "col");
    for (std::size_t i = 0; i < shots_.size(); ++i) waiting_.push_back(i);
    for (auto i = waiting_.size(); i > 1; --i) std::swap(waiting_[i - 1], waiting_[below(i)]);
    fill_active();
}
Production::~Production() { stop(); }

void Production::add_people() {
    for (const std::string name : people_names) {
        auto login = name.substr(0, name.find(' '));
        std::ranges::transform(login, login.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        people_.push_back({site_.add_person(name, login), name});
    }
}

void Production::add_project(const std::string& name, const std::string& code) {
    const auto project = site_.add("Project", {{"name", name}, {"code", code}});
    for (int s = 1; s <= 2; ++s) {
        const auto sequence_name = fmt::format("{}_{:03}", code, s * 10);
        const auto sequence =
            site_.add("Sequence", {{"code", sequence_name}, {"project", link_to("Project", project)}});
        for (int i = 1; i <= 12; ++i)
            add_shot(project, sequence, fmt::format("{}_{:04}", sequence_name, i * 10));
    }
}

void Production::add_shot(Id project, Id sequence, const std::string& name) {
    static constexpr std::array<const char*, 10> beginnings{"wtg", "wtg", "ip",  "ip",  "ip",
                                                            "rev", "rev", "fin", "fin", "fin"};
    Shot shot{site_.add("Shot", {{"code", name},
                                 {"project", link_to("Project", project)},
                                 {"sg_sequence", link_to("Sequence", sequence)},
                                 {"sg_status_list", "ip"}}),
              project,
              name,
              {},
              false,
              0};
    const auto count = 2 + below(3);
    for (std::size_t i = 0; i < count; ++i) {
        const auto step = step_names.size() - count + i;  // everything ends in Comp
        const std::string status = i + 1 == count ? "ip" : beginnings[below(beginnings.size())];
        const auto id =
            site_.add("Task", {{"content", step_names[step]},
                               {"project", link_to("Project", project)},
                               {"entity", link_to("Shot", shot.id)},
                               {"step", link_to("Step", steps_[step])},
                               {"sg_status_list", status},
                               {"task_assignees", Json::array({link_to("HumanUser", somebody().id)})}});
        shot.tasks.push_back({id, step_names[step], status});
    }
    shots_.push_back(std::move(shot));
}

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
    if (roll < 78) return move_task();
    if (roll < 86) return add_version();
    if (roll < 93) return add_note();
    return roll < 96 ? rename() : assign();
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

PlayedChange Production::set_status(Shot& shot, Task& task, const std::string& status, std::string kind) {
    const auto& who = somebody();
    PlayedChange change{std::move(kind), who.name, shot.name + " / " + task.name,
                        "Task",          task.id,  "sg_status_list",
                        task.status,     status,   0};
    change.event = site_.update(as(who.id), "Task", task.id, {{"sg_status_list", status}});
    task.status = status;
    return change;
}

PlayedChange Production::add_version() {
    auto& shot = busy_shot();
    const auto& task = shot.tasks[below(shot.tasks.size())];
    const auto& who = somebody();
    const auto code = fmt::format("{}_v{:03}", shot.name, ++shot.versions);
    PlayedChange change{"version", who.name, shot.name + " / " + task.name, "Version", 0, "code", "",
                        code,      0};
    change.entity = site_.create(as(who.id), "Version",
                                 {{"code", code},
                                  {"project", link_to("Project", shot.project)},
                                  {"entity", link_to("Shot", shot.id)},
                                  {"sg_task", link_to("Task", task.id)},
                                  {"user", link_to("HumanUser", who.id)}},
                                 &change.event);
    return change;
}

PlayedChange Production::add_note() {
    const auto& shot = busy_shot();
    const auto& who = somebody();
    const std::string text = remarks[below(remarks.size())];
    PlayedChange change{"note", who.name, shot.name, "Note", 0, "content", "", text, 0};
    change.entity = site_.create(as(who.id), "Note",
                                 {{"subject", "Note on " + shot.name},
                                  {"content", text},
                                  {"project", link_to("Project", shot.project)},
                                  {"note_links", Json::array({link_to("Shot", shot.id)})},
                                  {"user", link_to("HumanUser", who.id)}},
                                 &change.event);
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
    const auto& shot = busy_shot();
    const auto& task = shot.tasks[below(shot.tasks.size())];
    const auto& who = somebody();
    const auto& whom = somebody();
    PlayedChange change{"assign", who.name,  shot.name + " / " + task.name,
                        "Task",   task.id,   "task_assignees",
                        "",       whom.name, 0};
    change.event = site_.update(as(who.id), "Task", task.id,
                                {{"task_assignees", Json::array({link_to("HumanUser", whom.id)})}});
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
