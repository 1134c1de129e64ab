#include "cli/completion.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "cli/control_command.hpp"

namespace sg::cli {
namespace {

/// The words before the cursor, understood as far as completing needs it.
struct Place {
    const CLI::App* command = nullptr;
    const CLI::Option* wants_value = nullptr;  // the option just before the cursor
    std::size_t positionals = 0;               // given already
    bool only_positionals = false;             // after --
    ControlOptions daemon;
};

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

const CLI::App* subcommand(const CLI::App& app, const std::string& name) {
    for (const auto* command : app.get_subcommands(std::function<bool(const CLI::App*)>{}))
        if (command->get_name() == name) return command;
    return nullptr;
}

Place understand(const CLI::App& app, const std::vector<std::string>& words) {
    Place place;
    place.command = &app;
    for (const auto& word : words) {
        if (const auto* option = std::exchange(place.wants_value, nullptr)) {
            if (option->check_lname("config")) place.daemon.config = word;
            if (option->check_lname("socket")) place.daemon.socket = word;
        } else if (word == "--") {
            place.only_positionals = true;
        } else if (word.starts_with('-') && word.size() > 1 && !place.only_positionals) {
            const auto* named = place.command->get_option_no_throw(word);
            if (named != nullptr && takes_value(*named)) place.wants_value = named;
        } else if (const auto* below = subcommand(*place.command, word)) {
            place.command = below;
        } else {
            ++place.positionals;
        }
    }
    return place;
}

class Candidates {
public:
    Candidates(std::string typed, Place place) : typed_(std::move(typed)), place_(std::move(place)) {}

    void print() {
        if (place_.wants_value != nullptr) return values(*place_.wants_value);
        if (typed_.starts_with('-') && !place_.only_positionals) return options();
        for (const auto* command : place_.command->get_subcommands(std::function<bool(const CLI::App*)>{}))
            offer(command->get_name(), command->get_description());
        positional();
    }

private:
    void offer(const std::string& word, const std::string& help) const {
        if (word.starts_with(typed_)) std::printf("%s\t%s\n", word.c_str(), help.c_str());
    }

    void options() const {
        for (const auto* option : place_.command->get_options(std::function<bool(const CLI::Option*)>{}))
            for (const auto& name : option->get_lnames()) offer("--" + name, option->get_description());
    }

    void positional() {
        std::size_t before = place_.positionals;
        for (const auto* option :
             place_.command->get_options([](const CLI::Option* one) { return one->get_positional(); })) {
            const auto most = static_cast<std::size_t>(option->get_items_expected_max());
            if (before < most) return values(*option);
            before -= most;
        }
    }

    void values(const CLI::Option& option) {
        const auto type = option.get_type_name();
        const auto& kind = type.empty() && option.get_positional() ? option.get_name() : type;
        if (type.find('|') != std::string::npos) {
            std::istringstream words(type);
            for (std::string word; std::getline(words, word, '|');) offer(word, "");
        } else if (kind == "FILE" || kind == "PATH") {
            std::puts(":files");
        } else if (kind == "PLUGIN" || option.check_lname("plugin")) {
            plugins();
        }
    }

    void plugins() {
        const char* config = std::getenv("SGEVENTD_CONFIG");
        if (place_.daemon.config.empty() && config != nullptr) place_.daemon.config = config;
        auto code = ExitCode::ok;
        const auto status = ask(place_.daemon, "GET", "/api/status", {}, code);
        if (!status || !status->contains("plugins")) return;
        for (const auto& plugin : status->at("plugins"))
            offer(plugin.at("plugin").get<std::string>(), plugin.value("state", ""));
    }

    std::string typed_;
    Place place_;
};

}  // namespace

int print_candidates(const CLI::App& app, const std::vector<std::string>& words) {
    auto before = words;
    std::string typed;
    if (!before.empty()) {
        typed = before.back();
        before.pop_back();
    }
    Candidates(std::move(typed), understand(app, before)).print();
    return static_cast<int>(ExitCode::ok);
}

}  // namespace sg::cli
