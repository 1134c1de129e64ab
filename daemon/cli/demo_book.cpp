// Brings together what the sandbox and the daemon say about one event.

#include "cli/demo_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sg::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds patience{1000};

/// A text member of an object; empty where there is none.
std::string text_in(const json& object, const char* member) {
    if (!object.is_object()) return "";
    const auto at = object.find(member);
    return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

std::string text_of(const json& value) {
    if (value.is_null()) return "nothing";
    if (value.is_string()) return value.get<std::string>();
    const auto name = text_in(value, "name");
    return name.empty() ? value.dump() : name;
}

json member(const json& object, const char* name) {
    return object.is_object() && object.contains(name) ? object.at(name) : json();
}

}  // namespace

void DemoBook::on_change(const sandbox::PlayedChange& change) {
    std::lock_guard lock(mutex_);
    ++changes_;
    if (change.event <= 0) return;
    auto& entry = open_[change.event];
    entry.worth_a_line = true;
    entry.line = {std::chrono::system_clock::now(),
                  change.who,
                  false,
                  change.entity_type + " " + change.what,
                  change.field.empty()
                      ? change.kind
                      : fmt::format("{} {}→ {}", change.field,
                                    change.before.empty() ? "" : change.before + " ", change.after),
                  {}};
}

void DemoBook::on_events(const event::EventPage& page) {
    std::lock_guard lock(mutex_);
    for (const auto& row : page.rows()) {
        seen_ = std::max(seen_, row.id);
        auto& entry = open_[row.id];
        entry.seen = true;
        for (const auto& [plugin, callbacks] : serving_)
            for (const auto& callback : callbacks)
                if (callback.filter.matches(row.type, row.attribute)) ++entry.owed[plugin];
        const auto full = json::parse(row.raw, nullptr, false);
        const auto who = text_in(member(full, "user"), "name");
        if (scripts_.count(who) == 0) continue;
        const auto meta = member(full, "meta"), entity = member(full, "entity");
        entry.worth_a_line = true;
        entry.line.time = std::chrono::system_clock::now();
        entry.line.by_plugin = true;
        entry.line.who = who;
        entry.line.what = text_in(entity, "type") + " " + text_in(entity, "name");
        entry.line.change = fmt::format("{} {} → {}", row.attribute, text_of(member(meta, "old_value")),
                                        text_of(member(meta, "new_value")));
    }
}

void DemoBook::on_outcome(const plugins::Generation& generation, const plugins::Outcome& outcome,
                          std::size_t behind) {
    std::lock_guard lock(mutex_);
    auto& tally = tallies_[generation.plugin()];
    tally.behind = behind;
    if (!outcome.ok) {
        ++tally.failures;
        remarks_.push_back(fmt::format("{} failed on event {}, which is tried again: {}", generation.plugin(),
                                       outcome.event, outcome.error));
        return;
    }
    const auto at = open_.find(outcome.event);
    if (at == open_.end()) return;
    auto& entry = at->second;
    const auto owed = entry.owed.find(generation.plugin());
    if (owed == entry.owed.end() || --owed->second > 0) return;
    entry.owed.erase(owed);
    const auto after = std::chrono::duration_cast<milliseconds>(steady_clock::now() - entry.at);
    entry.after[generation.plugin()] = after;
    tally.longest = std::max(tally.longest, after);
    tally.handled.insert(outcome.event);
}

void DemoBook::on_host_ready(const plugins::Generation& generation) {
    std::lock_guard lock(mutex_);
    serving_[generation.plugin()] = generation.callbacks();
    tallies_[generation.plugin()];
    remarks_.push_back(fmt::format("{} is ready", generation.plugin()));
}

void DemoBook::on_host_end(const plugins::Generation& generation, const plugins::HostEnd& end) {
    std::lock_guard lock(mutex_);
    remarks_.push_back(fmt::format("{} ended: {}", generation.plugin(), end.reason));
}

void DemoBook::on_refused(const std::string& plugin, const Failure& why, bool) {
    std::lock_guard lock(mutex_);
    remarks_.push_back(fmt::format("{} cannot be loaded: {}", plugin, why.message));
}

void DemoBook::on_site(EventId level) {
    std::lock_guard lock(mutex_);
    site_ = true;
    seen_ = std::max(seen_, level);
}

DemoLine DemoBook::finished_line(const Entry& entry) const {
    auto line = entry.line;
    for (const auto& [plugin, after] : entry.after) line.reactions.push_back({plugin, after});
    for (const auto& [plugin, unused] : entry.owed) line.reactions.push_back({plugin, std::nullopt});
    return line;
}

std::vector<DemoLine> DemoBook::take_lines() {
    std::lock_guard lock(mutex_);
    std::vector<DemoLine> lines;
    const auto late = steady_clock::now() - patience;
    for (auto at = open_.begin(); at != open_.end();) {
        auto& entry = at->second;
        if (!is_complete(entry) && entry.at > late) break;  // the rest waits its turn
        if (std::exchange(entry.worth_a_line, false)) lines.push_back(finished_line(entry));
        at = is_complete(entry) ? open_.erase(at) : std::next(at);
    }
    return lines;
}

std::vector<std::string> DemoBook::take_remarks() {
    std::lock_guard lock(mutex_);
    return std::exchange(remarks_, {});
}

bool DemoBook::is_ready(std::size_t plugins) const {
    std::lock_guard lock(mutex_);
    return site_ && serving_.size() >= plugins;
}

bool DemoBook::is_level(EventId id) const {
    std::lock_guard lock(mutex_);
    return seen_ >= id && std::all_of(open_.begin(), open_.end(),
                                      [this](const auto& entry) { return is_complete(entry.second); });
}

std::vector<std::string> DemoBook::wanted_by(std::string_view type, std::string_view attribute) const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [plugin, callbacks] : serving_)
        if (std::any_of(callbacks.begin(), callbacks.end(),
                        [&](const auto& callback) { return callback.filter.matches(type, attribute); }))
            out.push_back(plugin);
    return out;
}

std::uint64_t DemoBook::changes() const {
    std::lock_guard lock(mutex_);
    return changes_;
}

EventId DemoBook::seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
}

std::map<std::string, DemoTally> DemoBook::tallies() const {
    std::lock_guard lock(mutex_);
    return tallies_;
}

}  // namespace sg::cli
