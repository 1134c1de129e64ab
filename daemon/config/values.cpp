// Reading and writing single values: durations, sizes, words.

#include "config/values.hpp"

#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <utility>

namespace sg::config {
namespace {

using std::chrono::milliseconds;

template <std::size_t N>
using Units = std::array<std::pair<std::string_view, std::int64_t>, N>;

constexpr Units<5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr Units<4> size_units{{{"GB", 1'000'000'000}, {"MB", 1'000'000}, {"kB", 1000}, {"B", 1}}};

std::optional<std::int64_t> whole(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

constexpr std::array<std::pair<std::string_view, OnFailure>, 4> failure_words{
    {{"registered", OnFailure::registered},
     {"retry", OnFailure::retry},
     {"skip", OnFailure::skip},
     {"halt", OnFailure::halt}}};
constexpr std::array<std::pair<std::string_view, WhenFull>, 2> full_words{
    {{"hold", WhenFull::hold}, {"drop_oldest", WhenFull::drop_oldest}}};
constexpr std::array<std::pair<std::string_view, MailTls>, 3> tls_words{
    {{"starttls", MailTls::starttls}, {"implicit", MailTls::implicit}, {"none", MailTls::none}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> format_words{
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};
constexpr std::array<std::pair<std::string_view, CallTimings>, 3> timing_words{
    {{"none", CallTimings::none}, {"lines", CallTimings::lines}, {"records", CallTimings::records}}};

/// Reads one of a few words.
template <class Words, class Value>
Result<void> one_of(std::string_view text, const Words& words, Value& out) {
    std::string all;
    for (const auto& [word, value] : words) {
        if (text == word) {
            out = value;
            return {};
        }
        all += (all.empty() ? "" : ", ") + std::string(word);
    }
    return fail(Cause::invalid, "expected one of {}", all);
}

template <std::size_t N>
std::optional<std::int64_t> measured(std::string_view text, const Units<N>& units) {
    const auto digits = text.find_first_not_of("-0123456789");
    if (digits == std::string_view::npos) return std::nullopt;
    const auto number = whole(text.substr(0, digits));
    const auto unit = text.substr(digits);
    for (const auto& [name, factor] : units) {
        std::int64_t value = 0;
        if (unit == name && number && !__builtin_mul_overflow(*number, factor, &value)) return value;
    }
    return std::nullopt;
}

template <std::size_t N>
std::string in_largest_unit(std::int64_t value, const Units<N>& units) {
    for (const auto& [name, factor] : units)
        if (value != 0 && value % factor == 0) return fmt::format("{}{}", value / factor, name);
    return fmt::format("0{}", units.back().first);
}

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> level_words{{{"trace", LogLevel::trace},
                                                                            {"debug", LogLevel::debug},
                                                                            {"info", LogLevel::info},
                                                                            {"warning", LogLevel::warning},
                                                                            {"error", LogLevel::error}}};

Result<std::int64_t> bounded(std::optional<std::int64_t> value, const Slot& slot, const Range& range,
                             std::string_view what) {
    const auto limits = range_text(slot, range);
    if (!value || *value < range.least || *value > range.most)
        return fail(Cause::invalid, "expected {}{}{}", what, limits.empty() ? "" : ", ", limits);
    return *value;
}

constexpr std::string_view a_duration = "a duration such as 500ms, 5s, 10min or 2h";
constexpr std::string_view a_size = "a size such as 512MB or 2GB, or none";

struct ValueReader {
    std::string_view text;
    const Slot& slot;
    const Range& range;

    Result<void> operator()(std::string* out) const {
        *out = std::string(text);
        return {};
    }
    Result<void> operator()(milliseconds* out) const {
        return bounded(measured(text, duration_units), slot, range, a_duration).map([&](std::int64_t v) {
            *out = milliseconds(v);
        });
    }
    Result<void> operator()(std::optional<milliseconds>* out) const {
        if (text == "none") {
            out->reset();
            return {};
        }
        return bounded(measured(text, duration_units), slot, range, std::string(a_duration) + ", or none")
            .map([&](std::int64_t v) { *out = milliseconds(v); });
    }
    Result<void> operator()(std::optional<Bytes>* out) const {
        if (text == "none") {
            out->reset();
            return {};
        }
        return bounded(measured(text, size_units), slot, range, a_size).map([&](std::int64_t v) {
            *out = Bytes{static_cast<std::uint64_t>(v)};
        });
    }
    Result<void> operator()(Bytes* out) const {
        return bounded(measured(text, size_units), slot, range, "a size such as 512MB or 2GB")
            .map([&](std::int64_t v) { out->count = static_cast<std::uint64_t>(v); });
    }
    Result<void> operator()(OnFailure* out) const { return one_of(text, failure_words, *out); }
    Result<void> operator()(WhenFull* out) const { return one_of(text, full_words, *out); }
    Result<void> operator()(MailTls* out) const { return one_of(text, tls_words, *out); }
    Result<void> operator()(LogFormat* out) const { return one_of(text, format_words, *out); }
    Result<void> operator()(CallTimings* out) const { return one_of(text, timing_words, *out); }
    Result<void> operator()(int* out) const {
        return bounded(whole(text), slot, range, "a whole number").map([&](std::int64_t v) {
            *out = static_cast<int>(v);
        });
    }
    Result<void> operator()(bool* out) const {
        if (text != "true" && text != "false") return fail(Cause::invalid, "expected true or false");
        *out = text == "true";
        return {};
    }
    Result<void> operator()(LogLevel* out) const { return one_of(text, level_words, *out); }
    Result<void> operator()(Isolation* out) const {
        if (text != "process" && text != "thread") return fail(Cause::invalid, "expected process or thread");
        *out = text == "process" ? Isolation::process : Isolation::thread;
        return {};
    }
    Result<void> operator()(Start* out) const {
        if (text == "latest" || text == "earliest") {
            *out = Start{text == "latest" ? Start::From::latest : Start::From::earliest, 0};
            return {};
        }
        const auto id = whole(text);
        if (!id || *id < 0)
            return fail(Cause::invalid, "expected latest, earliest, or the id of the event to begin after");
        *out = Start{Start::From::after, *id};
        return {};
    }
    template <class Other>
    Result<void> operator()(Other*) const {
        return fail(Cause::internal, "is not a single value");
    }
};

}  // namespace

Result<void> parse(std::string_view text, const Slot& slot, const Range& range) {
    return std::visit(ValueReader{text, slot, range}, slot);
}

std::string duration_text(milliseconds value) { return in_largest_unit(value.count(), duration_units); }

std::string to_text(const Slot& slot) {
    struct Writer {
        std::string operator()(const std::string* v) const { return *v; }
        std::string operator()(const std::filesystem::path* v) const { return v->string(); }
        std::string operator()(const std::vector<std::filesystem::path>* v) const {
            std::string out;
            for (const auto& path : *v) out += (out.empty() ? "" : ", ") + path.string();
            return out;
        }
        std::string operator()(const milliseconds* v) const { return duration_text(*v); }
        std::string operator()(const std::optional<milliseconds>* v) const {
            return *v ? duration_text(**v) : "none";
        }
        std::string operator()(const std::optional<Bytes>* v) const {
            return *v ? in_largest_unit(static_cast<std::int64_t>((*v)->count), size_units) : "none";
        }
        std::string operator()(const Bytes* v) const {
            return in_largest_unit(static_cast<std::int64_t>(v->count), size_units);
        }
        std::string operator()(const OnFailure* v) const {
            return std::string(failure_words.at(static_cast<std::size_t>(*v)).first);
        }
        std::string operator()(const WhenFull* v) const {
            return std::string(full_words.at(static_cast<std::size_t>(*v)).first);
        }
        std::string operator()(const int* v) const { return std::to_string(*v); }
        std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
        std::string operator()(const LogLevel* v) const {
            return std::string(level_words.at(static_cast<std::size_t>(*v)).first);
        }
        std::string operator()(const Isolation* v) const {
            return *v == Isolation::process ? "process" : "thread";
        }
        std::string operator()(const Start* v) const {
            if (v->from == Start::From::after) return std::to_string(v->id);
            return v->from == Start::From::latest ? "latest" : "earliest";
        }
        std::string operator()(const Secret* v) const { return v->shown; }
        std::string operator()(const Arguments* v) const { return v->shown; }
        std::string operator()(const std::vector<std::string>* v) const {
            return fmt::format("{}", fmt::join(*v, ", "));
        }
        std::string operator()(const EventTraits* v) const {
            return v->empty() ? std::string() : v->to_json().dump();
        }
        std::string operator()(const MailTls* v) const {
            return std::string(tls_words.at(static_cast<std::size_t>(*v)).first);
        }
        std::string operator()(const LogFormat* v) const {
            return std::string(format_words.at(static_cast<std::size_t>(*v)).first);
        }
        std::string operator()(const CallTimings* v) const {
            return std::string(timing_words.at(static_cast<std::size_t>(*v)).first);
        }
    };
    return std::visit(Writer{}, slot);
}

std::string_view type_name(const Slot& slot) noexcept {
    static constexpr std::array<std::string_view, std::variant_size_v<Slot>> names{
        "text",
        "path",
        "list of paths",
        "duration",
        "duration or none",
        "size or none",
        "size",
        "whole number",
        "true or false",
        "trace, debug, info, warning or error",
        "process or thread",
        "registered, retry, skip or halt",
        "hold or drop_oldest",
        "latest, earliest or an id",
        "secret: text, or ${NAME}",
        "anything",
        "mapping of traits to lists",
        "list of texts",
        "starttls, implicit or none",
        "text or json",
        "none, lines or records"};
    return names[slot.index()];
}

std::string range_text(const Slot& slot, const Range& range) {
    const auto show = [&](std::int64_t value) {
        if (std::holds_alternative<milliseconds*>(slot) ||
            std::holds_alternative<std::optional<milliseconds>*>(slot))
            return duration_text(milliseconds(value));
        if (std::holds_alternative<std::optional<Bytes>*>(slot) || std::holds_alternative<Bytes*>(slot))
            return in_largest_unit(value, size_units);
        return std::to_string(value);
    };
    if (range.most != INT64_MAX) return fmt::format("from {} to {}", show(range.least), show(range.most));
    if (range.least != 0) return fmt::format("at least {}", show(range.least));
    return {};
}

}  // namespace sg::config
