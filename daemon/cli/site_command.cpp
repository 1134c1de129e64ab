// sgeventd site upload, sgeventd site download

#include "cli/site_command.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <thread>

#include "cli/failure_code.hpp"
#include "cli/interruption.hpp"
#include "cli/progress_line.hpp"
#include "config/load.hpp"
#include "service/settings.hpp"
#include "site/client.hpp"
#include "util/thread.hpp"

namespace sg::cli {
namespace {

using nlohmann::json;
using service::ExitCode;

/// Warnings and worse, as lines on standard error.
class PlainLog final : public Logger {
public:
    bool enabled(LogLevel level) const noexcept override { return level >= LogLevel::warning; }
    void write(LogLevel level, std::string_view text) noexcept override {
        if (enabled(level))
            std::fprintf(stderr, "sgeventd: %.*s\n", static_cast<int>(text.size()), text.data());
    }
};

/// A client of the configured site, and as whom it calls.
struct Caller {
    SystemClock clock;
    PlainLog log;
    std::unique_ptr<site::Client> client;
    site::CallOptions options;
};

void complain(const std::string& what) { std::fprintf(stderr, "sgeventd: %s\n", what.c_str()); }

ExitCode refused(const Failure& failure) {
    complain(failure.message);
    return failure.cause == Cause::stopped ? ExitCode::interrupted : code_of(failure);
}

ExitCode open(const SiteOptions& options, std::stop_token stop, Caller& caller) {
    const auto loaded = config::load(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    const auto& config = loaded->config;
    auto who = service::daemon_caller(config);
    if (!options.credential.empty()) {
        const auto found = config.credentials.find(options.credential);
        if (found == config.credentials.end()) {
            complain(fmt::format("the configuration has no credential '{}'", options.credential));
            return ExitCode::usage;
        }
        who = service::caller_of(found->second);
    }
    auto made = site::Client::make(service::site_settings(config), caller.clock, caller.log);
    if (!made) {
        complain(made.error().message);
        return ExitCode::config;
    }
    caller.client = std::move(*made);
    caller.options.credential = std::move(who.credential);
    caller.options.sudo_as_login = std::move(who.sudo_as_login);
    caller.options.stop = std::move(stop);
    auto credential = caller.client->logged_in(caller.options);
    if (!credential) return refused(credential.error());
    caller.options.credential = std::move(*credential);
    return ExitCode::ok;
}

ExitCode printed(const std::string& line) {
    return std::printf("%s\n", line.c_str()) > 0 && std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

std::optional<EntityId> id_in(std::string_view text) {
    EntityId id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && id > 0 ? std::optional(id)
                                                                                     : std::nullopt;
}

/// The next word up to a colon.
std::string_view word(std::string_view& rest) {
    const auto out = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), out.size() + 1));
    return out;
}

/// What is to be fetched: an id, a URL, or what a field holds.
Result<json> attachment_of(Caller& caller, const std::string& what) {
    if (const auto id = id_in(what)) return json(*id);
    if (what == "-") {
        std::string url;
        std::getline(std::cin, url);
        return json(url);
    }
    if (what.find("://") != std::string::npos) return json(what);
    std::string_view rest = what;
    const auto type = word(rest), id_word = word(rest), field = rest;
    const auto id = id_in(id_word);
    if (!id || type.empty() || field.empty())
        return fail(Cause::invalid, "'{}' is neither an id, nor TYPE:ID:FIELD, nor a URL", what);
    site::Query query;
    query.type = type;
    query.fields = {std::string(field)};
    query.filters = json::array({json::array({"id", "is", *id})});
    auto row = caller.client->find_one(query, caller.options);
    if (!row) return row;
    if (row->is_null()) return fail(Cause::invalid, "there is no {} {}", type, *id);
    if (!row->contains(field)) return fail(Cause::invalid, "{} has no field '{}'", type, field);
    return (*row)[std::string(field)];
}

}  // namespace

ExitCode upload_command(const UploadOptions& options) {
    Interruption interruption;
    Caller caller;
    std::string_view rest = options.entity;
    site::UploadRequest request;
    request.type = word(rest);
    const auto id = id_in(rest);
    if (request.type.empty() || !id) {
        complain(fmt::format("'{}' is no entity: write TYPE:ID, such as Version:42", options.entity));
        return ExitCode::usage;
    }
    if (const auto code = open(options.site, interruption.token(), caller); code != ExitCode::ok) return code;
    request.id = *id;
    request.file = options.file;
    request.field = options.field;
    request.display_name = options.name;
    request.tags = options.tags;
    ProgressLine line(options.file.filename().string());
    request.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
        line.show(done, total);
    };
    const auto attachment = caller.client->upload(request, caller.options);
    return attachment ? printed(std::to_string(*attachment)) : refused(attachment.error());
}

ExitCode download_command(const DownloadOptions& options) {
    Interruption interruption;
    Caller caller;
    if (const auto code = open(options.site, interruption.token(), caller); code != ExitCode::ok) return code;
    auto attachment = attachment_of(caller, options.what);
    if (!attachment) return refused(attachment.error());
    ProgressLine line(options.file.filename().string());
    const auto done = caller.client->download(
        {std::move(*attachment), options.file, [&](auto n, auto total) { line.show(n, total); }},
        caller.options);
    if (!done) return refused(done.error());
    if (*done) return printed(options.file.string());
    complain("the field is empty: there is no file");
    return ExitCode::data;
}

}  // namespace sg::cli
