// When every Task of a Shot is final the Shot becomes final too; when one is reopened, it is open again.
//
// Each event only says which Shot to look at. What is written follows from the Tasks as they are now, and
// only if the Shot does not say so already. So an event that comes twice, late or out of order does no harm,
// and the Shot's own change, which comes back as an event, needs no reply.

#include <sg/plugin.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using nlohmann::json;
using sg::EntityRef;

struct Settings {
    std::string final = "fin";
    std::string open = "ip";
    std::set<std::string> ignored = {"na",
                                     "omt"};  // such a Task holds nothing back, such a Shot is left alone
};

/// Throws what the operator reads when the plugin is refused.
Settings read_settings(const json& args) {
    Settings settings;
    if (args.is_null()) return settings;
    if (!args.is_object()) throw std::invalid_argument("the arguments are a map: final, open, ignored");
    for (const auto& [name, value] : args.items()) {
        const auto status = [&, &name = name](const json& code) {
            if (!code.is_string() || code.get<std::string>().empty())
                throw std::invalid_argument("argument '" + name +
                                            "': a status code is needed, such as \"fin\"");
            return code.get<std::string>();
        };
        if (name == "final") {
            settings.final = status(value);
        } else if (name == "open") {
            settings.open = status(value);
        } else if (name == "ignored") {
            if (!value.is_array())
                throw std::invalid_argument("argument 'ignored': a list of status codes is needed");
            settings.ignored.clear();
            for (const auto& code : value) settings.ignored.insert(status(code));
        } else {
            throw std::invalid_argument("unknown argument '" + name + "'; there are final, open and ignored");
        }
    }
    if (settings.final == settings.open || settings.ignored.count(settings.final) != 0)
        throw std::invalid_argument("'final' must differ from 'open', and must not be ignored");
    return settings;
}

class ShotStatus {
public:
    explicit ShotStatus(Settings settings) : settings_(std::move(settings)) {}

    void operator()(const sg::Event& event, sg::Context& context) const {
        // From waiting to in progress, say: nothing that a Shot's status hangs on.
        if (event.attribute() == "sg_status_list" && !counts(event.old_value()) && !counts(event.new_value()))
            return;
        for (const auto& shot : shots_of(event, context.site())) settle(shot, context);
    }

private:
    bool ignored(const json& status) const {
        return status.is_string() && settings_.ignored.count(status.get<std::string>()) != 0;
    }
    bool counts(const json& status) const { return status == settings_.final || ignored(status); }

    /// The Shots whose Tasks may have changed, at most two.
    static std::vector<EntityRef> shots_of(const sg::Event& event, sg::Site& site) {
        std::vector<EntityRef> shots;
        const auto add = [&](const EntityRef& link) {
            if (link.type == "Shot") shots.push_back(link);
        };
        if (event.attribute() == "entity") {  // a Task moved: from here to there
            add(EntityRef::from_json(event.old_value()));
            add(EntityRef::from_json(event.new_value()));
        } else if (event.attribute() == "tasks") {  // the Shot's side of the same
            add(event.entity());
        } else {
            // The event has no entity once the Task is retired, but meta still knows which it was.
            const auto task = event.entity() ? event.entity() : event.meta_entity();
            if (task.type != "Task") return shots;
            auto row = site.find_one("Task", {"id", "is", task.id}, {"entity"});
            if (row.is_null())
                row = site.find_one("Task", {"id", "is", task.id}, {"entity"}, {.retired_only = true});
            if (!row.is_null()) add(EntityRef::from_json(row.at("entity")));
        }
        return shots;
    }

    void settle(const EntityRef& shot, sg::Context& context) const {
        auto& site = context.site();
        const auto row = site.find_one("Shot", {"id", "is", shot.id}, {"code", "sg_status_list"});
        if (row.is_null()) return;                      // retired since
        if (ignored(row.at("sg_status_list"))) return;  // an omitted Shot stays omitted

        std::size_t counted = 0, finished = 0;
        for (const auto& task : site.find("Task", {"entity", "is", shot}, {"sg_status_list"})) {
            if (ignored(task.at("sg_status_list"))) continue;
            ++counted;
            if (task.at("sg_status_list") == settings_.final) ++finished;
        }
        const bool is_final = row.at("sg_status_list") == settings_.final;
        const bool should_be = counted > 0 && finished == counted;
        if (counted == 0 || is_final == should_be) return;

        const auto& status = should_be ? settings_.final : settings_.open;
        site.update(shot, {{"sg_status_list", status}});
        context.logger().info("Shot status set. shot={} status={} tasks={} final={}", row.at("code").dump(),
                              status, counted, finished);
    }

    Settings settings_;
};

}  // namespace

SG_PLUGIN(registrar) {
    registrar.add({.name = "settle",
                   .filter = sg::EventFilter{}
                                 .on("Shotgun_Task_Change", {"sg_status_list", "entity", "retirement_date"})
                                 .on("Shotgun_Task_Retirement")
                                 .on("Shotgun_Task_Revival")
                                 .on("Shotgun_Shot_Change", {"tasks"}),
                   .callback = ShotStatus(read_settings(registrar.args()))});
}
