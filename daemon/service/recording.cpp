#include "service/recording.hpp"

#include <nlohmann/json.hpp>

namespace sg::service {
namespace {

using nlohmann::json;

constexpr std::size_t longest_line = std::size_t{64} << 20;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

Result<event::PagePtr> Recording::read(const std::string& line) {
    auto value = json::parse(line, nullptr, false);
    if (!value.is_object()) return fail(Cause::invalid, "{}:{}: not a JSON object", name_, number_);
    if (value.contains("row") && !value.contains("id")) value = json(std::move(value["row"]));
    stream::EventQuery everything;
    auto page =
        pages_.read(dumped({{"results", {{"entities", json::array({std::move(value)})}}}}), everything);
    if (!page) return fail(Cause::invalid, "{}:{}: not an event: {}", name_, number_, page.error().message);
    if (page->page->rows().size() != 1) return fail(Cause::invalid, "{}:{}: not an event", name_, number_);
    return std::move(page->page);
}

Result<event::PagePtr> Recording::next() {
    for (std::string line; std::getline(in_, line);) {
        ++number_;
        const bool is_cut = in_.eof();  // no newline at its end
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (line.size() > longest_line)
            return fail(Cause::invalid, "{}:{}: longer than {} MB", name_, number_, longest_line >> 20);
        auto page = read(line);
        if (page || !is_cut) return page;
        log_.warning("[RECORDING-CUT] The last line is incomplete; passed over. file={} line={}", name_,
                     number_);
    }
    if (in_.bad()) return fail(Cause::internal, "{} cannot be read", name_);
    return event::PagePtr();
}

std::string as_line(const event::EventRow& row) {
    // Sites send rows without line breaks; others might not.
    if (row.raw.find_first_of("\r\n") == std::string_view::npos) return std::string(row.raw);
    return dumped(json::parse(row.raw, nullptr, false));
}

}  // namespace sg::service
