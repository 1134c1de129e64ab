#include "e2e/random_model.hpp"

#include <fmt/format.h>

namespace sg::test::random_run {

namespace {

/// A finished call is durable a few milliseconds later; on a machine that is busy with other tests, after
/// this.
constexpr std::int64_t longest_to_disk = 3'000'000'000;

std::map<std::string, Stored> rows_of(sqlite3* database) {
    std::map<std::string, Stored> out;
    const auto each = [&](const char* sql, auto&& row) {
        sqlite3_stmt* prepared = nullptr;
        if (sqlite3_prepare_v2(database, sql, -1, &prepared, nullptr) != SQLITE_OK)
            throw std::runtime_error(sqlite3_errmsg(database));
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
        const auto text = [&](int column) {
            return std::string(reinterpret_cast<const char*>(sqlite3_column_text(prepared, column)));
        };
        int code = SQLITE_ROW;
        while ((code = sqlite3_step(prepared)) == SQLITE_ROW)
            row(out[text(0)], sqlite3_column_int64(prepared, 1), text);
        if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database));
    };
    each("SELECT id, cursor FROM plugin", [](Stored& plugin, Id id, const auto&) { plugin.cursor = id; });
    each("SELECT plugin, event, callback FROM pending", [](Stored& plugin, Id id, const auto& text) {
        plugin.pending.insert({id, text(2)});
    });
    each("SELECT plugin, event, callback FROM dead_letter", [](Stored& plugin, Id id, const auto& text) {
        plugin.letters.insert({id, text(2)});
    });
    return out;
}

std::map<std::string, Stored> read(const Home& home, int flags, bool at_once) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2((home.state() / "state.db").c_str(), &opened, flags, nullptr);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(opened, sqlite3_close);
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errstr(code));
    // Of one moment: a cursor and what is pending below it belong together.
    if (at_once && sqlite3_exec(opened, "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK)
        throw std::runtime_error(sqlite3_errmsg(opened));
    return rows_of(opened);
}

std::size_t place(const Actor& actor, const std::string& callback) {
    return static_cast<std::size_t>(std::find(actor.callbacks.begin(), actor.callbacks.end(), callback) -
                                    actor.callbacks.begin());
}

class Check {
public:
    Check(const Actor& actor, const std::vector<Line>& lines, const std::map<Id, Shown>& rows,
          const std::vector<Killed>& kills)
        : actor_(actor), lines_(lines), rows_(rows), kills_(kills) {}

    std::vector<std::string> faults() {
        for (const auto& line : lines_)
            if (!line.is_first_try) retried_.insert(line.event);
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            while (run_ < kills_.size() && i >= kills_[run_].lines.at(actor_.name)) ++run_;
            look(i);
        }
        return std::move(faults_);
    }

private:
    void look(std::size_t i) {
        const auto& line = lines_[i];
        const auto row = rows_.find(line.event);
        if (row == rows_.end() || !actor_.wants(row->second.type)) return fault(line, "is none of its own");
        if (line.is_end) {
            const bool follows = i > 0 && !lines_[i - 1].is_end && lines_[i - 1].event == line.event &&
                                 lines_[i - 1].callback == line.callback && lines_[i - 1].pid == line.pid;
            if (!follows) fault(line, "ended while another call ran");
            return ended(line);
        }
        if (!line.is_first_try) return;
        if (!begun_.insert({line.event, line.callback}).second)
            fault(line, "began a second time as if it were the first");
        in_order(line, row->second);
    }

    /// In order are those that came in time and were never tried again.
    void in_order(const Line& line, const Shown& row) {
        if ((row.late && !actor_.strict) || retried_.count(line.event) != 0) return;
        const std::pair here{line.event, place(actor_, line.callback)};
        if (here < newest_) fault(line, fmt::format("came after {}", newest_.first));
        newest_ = std::max(newest_, here);
    }

    void ended(const Line& line) {
        const std::pair call{line.event, line.callback};
        const auto [known, is_new] = ended_.emplace(call, std::pair{run_, line.at});
        if (is_new) return;
        const auto [run, at] = std::exchange(known->second, {run_, line.at});
        if (run == run_) return fault(line, "was called again although no kill came between");
        const auto& kill = kills_[run];
        const auto disk = kill.disk.find(actor_.name);
        if (disk != kill.disk.end() && disk->second.has_settled(line.event, line.callback))
            fault(line, "was called again although the disk had it as settled");
        if (kill.at - at > longest_to_disk)
            fault(line, fmt::format("had ended {} ms before the kill, and was called again",
                                    (kill.at - at) / 1'000'000));
        if (line.is_first_try) fault(line, "was called again and not told so");
    }

    void fault(const Line& line, const std::string& what) {
        faults_.push_back(fmt::format("{}: {} of event {} {}", actor_.name, line.callback, line.event, what));
    }

    const Actor& actor_;
    const std::vector<Line>& lines_;
    const std::map<Id, Shown>& rows_;
    const std::vector<Killed>& kills_;
    std::size_t run_ = 0;
    std::pair<Id, std::size_t> newest_{0, 0};
    std::set<Id> retried_;
    std::set<std::pair<Id, std::string>> begun_;
    std::map<std::pair<Id, std::string>, std::pair<std::size_t, std::int64_t>> ended_;
    std::vector<std::string> faults_;
};

/// Calls `missing(event, callback, what)` for all that has not come to its end.
template <class Missing>
void each_missing(const Actor& actor, const GrowingJournal& journal, const std::map<Id, Shown>& rows,
                  const Stored& stored, Missing missing) {
    for (const auto& [id, row] : rows) {
        if (!actor.wants(row.type)) continue;
        for (const auto& callback : actor.callbacks) {
            const bool has_letter = stored.letters.count({id, callback}) != 0;
            const auto end = actor.end(id, callback);
            if (has_letter != (end == Actor::End::letter))
                missing(id, callback, has_letter ? "is a dead letter" : "is no dead letter");
            if (end == Actor::End::success && journal.ended(id, callback) == 0)
                missing(id, callback, "never ended well");
            // A try that a kill cut short is made again by the next daemon, and that one may do.
            const bool may_do = end == Actor::End::skipped &&
                                journal.processes(id, callback) > actor.fate(id, callback).attempts;
            if (end != Actor::End::success && !may_do && journal.ended(id, callback) != 0)
                missing(id, callback, "ended well");
            if (journal.begun(id, callback) == 0) missing(id, callback, "never began");
        }
    }
    if (!rows.empty() && stored.cursor < rows.rbegin()->first)
        missing(stored.cursor, "", "is where it stands");
    for (const auto& [id, callback] : stored.pending) missing(id, callback, "is owed");
}

}  // namespace

TestPlugin Actor::plugin() const {
    std::map<std::tuple<std::string, Fate::Kind, int>, std::vector<Id>> by_fate;
    for (const auto& [call, fate] : fates)
        by_fate[{call.second, fate.kind, fate.attempts}].push_back(call.first);
    auto rules = nlohmann::json::array();
    for (const auto& [what, events] : by_fate) {
        const auto& [callback, kind, attempts] = what;
        nlohmann::json rule{{"callback", callback}, {"events", events}};
        if (kind == Fate::Kind::is_slow) {
            rule.update({{"do", "sleep"}, {"ms", 15}});
        } else {
            rule["do"] = kind == Fate::Kind::crashes ? "crash" : "throw";
            rule["attempts"] = attempts;
        }
        rules.push_back(std::move(rule));
    }
    nlohmann::json args{{"callbacks", callbacks}, {"rules", std::move(rules)}};
    // No null for any attribute: in a merge patch that would take the type out again.
    if (!only_type.empty()) args["filter"] = {{only_type, {"code"}}};
    return scripted(name, std::move(args),
                    {{"on_failure", on_failure},
                     {"strict_order", strict},
                     {"attempts", most_attempts},
                     {"crashes", most_crashes},
                     {"start", 100}});
}

const std::vector<Line>& GrowingJournal::lines() {
    std::ifstream in(file_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(read_));
    for (std::string text; std::getline(in, text) && !in.eof(); read_ += text.size() + 1) {
        const auto json = nlohmann::json::parse(text);
        Line line{json.at("event").get<Id>(), json.at("callback").get<std::string>(),
                  json.at("phase") == "end",  json.at("attempt") == 1 && json.at("redelivered") == false,
                  json.at("pid").get<int>(),  json.at("time_ns").get<std::int64_t>()};
        auto& counts = counts_[{line.event, line.callback}];
        ++(line.is_end ? counts.ended : counts.begun);
        counts.pids.insert(line.pid);
        lines_.push_back(std::move(line));
    }
    return lines_;
}

int GrowingJournal::ended(Id event, const std::string& callback) const {
    const auto found = counts_.find({event, callback});
    return found == counts_.end() ? 0 : found->second.ended;
}
int GrowingJournal::begun(Id event, const std::string& callback) const {
    const auto found = counts_.find({event, callback});
    return found == counts_.end() ? 0 : found->second.begun;
}
int GrowingJournal::processes(Id event, const std::string& callback) const {
    const auto found = counts_.find({event, callback});
    return found == counts_.end() ? 0 : static_cast<int>(found->second.pids.size());
}

std::map<std::string, Stored> read_stored(const Home& home) {
    if (!std::filesystem::exists(home.state() / "state.db")) return {};
    try {
        return read(home, SQLITE_OPEN_READWRITE, false);
    } catch (const std::runtime_error&) {
        return {};  // killed before it had made its tables
    }
}

std::optional<std::map<std::string, Stored>> peek_stored(const Home& home) {
    try {
        return read(home, SQLITE_OPEN_READONLY, true);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

std::vector<std::string> faults_of(const Actor& actor, GrowingJournal& journal,
                                   const std::map<Id, Shown>& rows, const std::vector<Killed>& kills,
                                   const Stored& at_last) {
    auto faults = Check(actor, journal.lines(), rows, kills).faults();
    each_missing(actor, journal, rows, at_last, [&](Id id, const std::string& callback, const char* what) {
        faults.push_back(fmt::format("{}: {} of event {} {}", actor.name, callback, id, what));
    });
    return faults;
}

bool has_had_all(const Actor& actor, GrowingJournal& journal, const std::map<Id, Shown>& rows,
                 const Stored& now) {
    journal.lines();
    bool all = true;
    each_missing(actor, journal, rows, now, [&](Id, const std::string&, const char*) { all = false; });
    return all;
}

}  // namespace sg::test::random_run
