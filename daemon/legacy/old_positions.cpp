#include "legacy/old_positions.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <set>

#include "legacy/pickle.hpp"

namespace sg::legacy {
namespace {

constexpr std::size_t most_entries = 2'000'000;  // a short file can stand for an endless one

/// Walks a pickle as the one shape that it may have.
class Walk {
public:
    explicit Walk(const Pickle& pickle) : pickle_(pickle) {}

    /// {collection: {plugin: (last or None, {missing id: until when})}}
    Result<OldPositions> positions() {
        OldPositions out;
        const auto* collections = dict(pickle_.root(), "the whole");
        if (collections == nullptr) return refused();
        for (const auto& [key, value] : collections->items) {
            const auto path = text(key, "a collection's path");
            const auto* plugins = dict(value, "a collection");
            if (!path || plugins == nullptr) return refused();
            for (const auto& [name, state] : plugins->items) {
                if (!count()) return refused();
                auto plugin = one(*path, name, state);
                if (!plugin) return tl::unexpected(plugin.error());
                out.plugins.push_back(std::move(*plugin));
            }
        }
        return out;
    }

private:
    Result<OldPlugin> one(const std::string& collection, Pickle::Index name, Pickle::Index state) {
        OldPlugin out;
        out.collection = collection;
        const auto known = text(name, "a plugin's name");
        const auto* pair = std::get_if<Pickle::Tuple>(&pickle_.at(state));
        if (!known || pair == nullptr || pair->items.size() != 2) return refused("a plugin's state");
        out.name = *known;
        if (!std::holds_alternative<Pickle::None>(pickle_.at(pair->items[0]))) {
            out.last = id(pair->items[0]);
            if (!out.last) return refused("a position");
        }
        const auto* backlog = dict(pair->items[1], "a backlog");
        if (backlog == nullptr) return refused();
        for (const auto& [missing, until] : backlog->items) {
            const auto number = id(missing);
            const auto* time = std::get_if<Pickle::DateTime>(&pickle_.at(until));
            if (!number || time == nullptr || !count()) return refused("a missing id");
            out.backlog[*number] = instant(*time);
        }
        return out;
    }

    static checkpoint::Instant instant(const Pickle::DateTime& at) {
        std::tm local{};
        local.tm_year = at.year - 1900;
        local.tm_mon = at.month - 1;
        local.tm_mday = at.day;
        local.tm_hour = at.hour;
        local.tm_min = at.minute;
        local.tm_sec = at.second;
        local.tm_isdst = -1;
        return checkpoint::Instant(std::chrono::seconds(std::mktime(&local)) +
                                   std::chrono::milliseconds(at.microsecond / 1000));
    }

    const Pickle::Dict* dict(Pickle::Index at, const char* what) {
        const auto* found = std::get_if<Pickle::Dict>(&pickle_.at(at));
        if (found == nullptr) what_ = what;
        return found;
    }
    std::optional<std::string> text(Pickle::Index at, const char* what) {
        const auto* found = std::get_if<Pickle::Text>(&pickle_.at(at));
        if (found != nullptr && !found->bytes.empty() && simdjson::validate_utf8(found->bytes))
            return found->bytes;
        what_ = what;
        return std::nullopt;
    }
    std::optional<EventId> id(Pickle::Index at) const {
        const auto* number = std::get_if<std::int64_t>(&pickle_.at(at));
        return number != nullptr && *number >= 0 && *number < INT64_MAX ? std::optional(*number)
                                                                        : std::nullopt;
    }
    bool count() {
        if (++entries_ <= most_entries) return true;
        what_ = "its size";
        return false;
    }
    tl::unexpected<Failure> refused(const char* what = nullptr) const {
        return fail(Cause::invalid, "is a pickle, and not of positions: {} is not what it should be",
                    what_ != nullptr ? what_ : what);
    }

    const Pickle& pickle_;
    std::size_t entries_ = 0;
    const char* what_ = nullptr;
};

std::optional<EventId> only_number(std::string_view content) {
    auto line = content.substr(0, content.find('\n'));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    EventId id = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), id);
    const bool whole = read.ec == std::errc() && read.ptr == line.data() + line.size();
    return whole && id >= 0 && id < INT64_MAX ? std::optional(id) : std::nullopt;
}

/// A name that a file can have.
bool is_plugin_name(const std::string& name) {
    return !name.empty() && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

class Planner {
public:
    Planner(const OldPositions& old, const PositionChoice& choice) : old_(old), choice_(choice) {}

    Result<PositionPlan> plan() {
        if (old_.for_all)
            spread(*old_.for_all);
        else
            choose();
        if (plan_.plugins.empty()) return fail(Cause::invalid, "{}", why_nothing());
        add_gaps();
        for (const auto& name : choice_.present)
            if (wanted(name) && plan_.plugins.count(name) == 0 && !old_.for_all)
                note("{} has no position in the file: it begins as its `start` says", name);
        return std::move(plan_);
    }

private:
    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        plan_.notes.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
    bool wanted(const std::string& name) const {
        return choice_.only.empty() ||
               std::find(choice_.only.begin(), choice_.only.end(), name) != choice_.only.end();
    }
    bool present(const std::string& name) const {
        return std::find(choice_.present.begin(), choice_.present.end(), name) != choice_.present.end();
    }
    const char* why_nothing() const {
        if (old_.for_all)
            return "the file has one position for all plugins, and no collection has a plugin: put the "
                   "libraries there first, or name plugins with --plugin";
        return choice_.only.empty() ? "the file has no position of any plugin"
                                    : "the file has no position of the plugins that were named";
    }

    void spread(EventId id) {
        for (const auto& names : {choice_.present, choice_.only})
            for (const auto& name : names)
                if (wanted(name)) plan_.plugins[name] = {id, id, id};
        plan_.highest = id;
        note("the file is of the oldest form: every plugin has been given its one position");
    }

    /// The smaller the more important.
    std::size_t rank(const OldPlugin& plugin) const {
        return static_cast<std::size_t>(
            std::find(choice_.collections.begin(), choice_.collections.end(), plugin.collection) -
            choice_.collections.begin());
    }
    bool goes_before(const OldPlugin& a, const OldPlugin& b) const {
        if (a.last.has_value() != b.last.has_value()) return a.last.has_value();
        return std::pair(rank(a), -a.last.value_or(0)) < std::pair(rank(b), -b.last.value_or(0));
    }

    void choose() {
        for (const auto& plugin : old_.plugins) {
            const auto renamed = choice_.renamed.find(plugin.name);
            const auto name = renamed == choice_.renamed.end() ? plugin.name : renamed->second;
            if (!is_plugin_name(name)) {
                note("'{}' of {} cannot be the name of a plugin: left out", name, plugin.collection);
                continue;
            }
            if (!wanted(name)) continue;
            auto& best = best_[name];
            const auto* loser = best == nullptr ? nullptr : &plugin;
            if (best == nullptr || goes_before(plugin, *best)) loser = std::exchange(best, &plugin);
            if (loser != nullptr)
                note("{} is in the file more than once: the position {} of {} was left out", name,
                     loser->last ? std::to_string(*loser->last) : "(none)", loser->collection);
        }
        for (const auto& [name, plugin] : best_) {
            if (!plugin->last) {
                note("{} has no position in the file: it begins as its `start` says", name);
                continue;
            }
            plan_.plugins[name] = {*plugin->last, *plugin->last, *plugin->last};
            plan_.highest = std::max(plan_.highest, *plugin->last);
            if (!present(name)) note("{} is in no collection now; its position is kept for it", name);
        }
    }

    void add_gaps() {
        std::map<EventId, checkpoint::Instant> missing;
        for (const auto& [name, plugin] : best_) {
            const auto known = plan_.plugins.find(name);
            if (known == plan_.plugins.end()) continue;
            auto& progress = known->second;
            for (const auto& [id, until] : plugin->backlog) {
                if (id < 1 || id >= progress.cursor) continue;  // above it nothing is passed yet
                // Only those who waited for it get it: for the others it lies below their start.
                progress.start = std::min(progress.start, id - 1);
                auto& latest = missing.try_emplace(id, until).first->second;
                latest = std::max(latest, until);
            }
        }
        for (const auto& [id, until] : missing) {
            auto& gaps = plan_.gaps;
            if (!gaps.empty() && gaps.back().last + 1 == id) {
                gaps.back().last = id;
                gaps.back().deadline = std::max(gaps.back().deadline, until);
            } else {
                gaps.push_back({id, id, until});
            }
        }
    }

    const OldPositions& old_;
    const PositionChoice& choice_;
    std::map<std::string, const OldPlugin*> best_;
    PositionPlan plan_;
};

}  // namespace

Result<OldPositions> read_positions(std::string_view content) {
    if (content.empty()) return fail(Cause::invalid, "is empty");
    if (const auto number = only_number(content)) return OldPositions{{}, number};
    const auto pickle = Pickle::read(content);
    if (!pickle) return fail(pickle.error(), "is no position file of shotgunEvents");
    return Walk(*pickle).positions();
}

checkpoint::Batch PositionPlan::batch() const {
    checkpoint::Batch out;
    out.set_highest_seen(highest);
    for (const auto& [name, progress] : plugins) out.set_progress(name, progress);
    for (const auto& gap : gaps) out.put_gap(gap);
    return out;
}

Result<PositionPlan> plan_positions(const OldPositions& old, const PositionChoice& choice) {
    return Planner(old, choice).plan();
}

}  // namespace sg::legacy
