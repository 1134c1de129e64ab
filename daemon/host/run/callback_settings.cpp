#include "host/run/callback_settings.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <map>

namespace sg::host {
namespace {

using nlohmann::json;

constexpr std::size_t most_fields = 50;

bool has_text(const json& value, const char* name) {
    const auto found = value.find(name);
    return found != value.end() && found->is_string();
}

void set_credential(Credential& credential, const json& value) {
    if (value.is_string()) {
        credential.name = value.get<std::string>();
    } else if (value.is_object() && has_text(value, "script_name") && has_text(value, "script_key")) {
        credential.script_name = value["script_name"].get<std::string>();
        credential.script_key = value["script_key"].get<std::string>();
    } else {
        throw Error(Cause::not_supported, "this daemon does not know such a credential");
    }
}

/// One of a few words.
template <class Choice>
Choice choice(std::string_view setting, const json& value,
              std::initializer_list<std::pair<const char*, Choice>> words) {
    for (const auto& [word, meaning] : words)
        if (value == word) return meaning;
    throw Error(Cause::not_supported, fmt::format("{} '{}' is not supported by this daemon", setting,
                                                  value.is_string() ? value.get<std::string>() : "?"));
}

std::chrono::milliseconds gathering_time(std::string_view setting, const json& value) {
    const auto ms = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (ms < 1 || ms > longest_gathering.count())
        throw Error(Cause::invalid, fmt::format("{} is from 1 ms to 1 h", setting));
    return std::chrono::milliseconds(ms);
}

void set_coalesce(Gathering& gathering, const json& value) {
    if (!value.is_object() || !value.contains("ms") || !value.contains("by"))
        throw Error(Cause::not_supported, "this daemon does not know such a coalesce");
    gathering.coalesce = gathering_time("coalesce", value["ms"]);
    gathering.by = choice<MergeBy>("coalesce_by", value["by"],
                                   {{"entity_and_type", MergeBy::entity_and_type},
                                    {"entity", MergeBy::entity},
                                    {"project", MergeBy::project},
                                    {"nothing", MergeBy::nothing}});
}

void set_concurrency(int& concurrency, const json& value) {
    const auto most = value.is_number_integer() ? value.get<std::int64_t>() : 0;
    if (most < 1 || most > most_at_once)
        throw Error(Cause::invalid, fmt::format("a concurrency is from 1 to {}", most_at_once));
    concurrency = static_cast<int>(most);
}

void set_fields(std::vector<std::string>& fields, const json& value) {
    if (!value.is_array() || value.size() > most_fields)
        throw Error(Cause::invalid, fmt::format("fields is a list of at most {} names", most_fields));
    for (const auto& name : value) {
        if (!name.is_string() || name == "") throw Error(Cause::invalid, "a field has no name");
        fields.push_back(name.get<std::string>());
    }
}

}  // namespace

void apply_setting(LoadedCallback& callback, std::string_view name, const json& value) {
    auto& info = callback.info;
    if (name == "filter")
        info.filter = EventFilter::from_json(value);
    else if (name == "args")
        callback.args = value;
    else if (name == "credential")
        set_credential(info.credential, value);
    else if (name == "on_failure")
        info.on_failure = choice<OnFailure>(
            name, value, {{"retry", OnFailure::retry}, {"skip", OnFailure::skip}, {"halt", OnFailure::halt}});
    else if (name == "only")
        info.only = EventTraits::from_json(value);
    else if (name == "never")
        info.never = EventTraits::from_json(value);
    else if (name == "fields")
        set_fields(info.fields, value);
    else if (name == "coalesce")
        set_coalesce(info.gathering, value);
    else if (name == "settle")
        info.gathering.settle = gathering_time(name, value);
    else if (name == "concurrency")
        set_concurrency(info.concurrency, value);
    else if (name == "keep_order")
        callback.keep_order = choice<KeepOrder>(name, value,
                                                {{"entity", KeepOrder::entity},
                                                 {"project", KeepOrder::project},
                                                 {"key", KeepOrder::by_key},
                                                 {"nothing", KeepOrder::nothing}});
    else
        throw Error(Cause::not_supported, fmt::format("this daemon does not know the setting '{}'", name));
}

void check_settings(const LoadedCallback& callback) {
    const auto& gathering = callback.info.gathering;
    if (gathering.coalesce.count() != 0 && gathering.settle.count() != 0)
        throw Error(Cause::invalid, "coalesce and settle do not go together");
    if (gathering.is_wanted() && callback.info.on_failure == OnFailure::halt)
        throw Error(Cause::invalid, "coalesce and settle do not go with on_failure halt");
}

}  // namespace sg::host
