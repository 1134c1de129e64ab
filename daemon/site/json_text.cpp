#include "site/json_text.hpp"

#include <cmath>
#include <vector>

namespace sg::site {
namespace {

/// Whether more than `max_depth` lists and objects are open at once. Of text that is not JSON it may say
/// anything. It is asked before parsing, as a document of brackets alone would become a large tree; a
/// callback of the parser could tell, too, but makes every closing bracket look through its whole list.
bool too_deep(std::string_view text) {
    std::size_t open = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string) {
            if (c == '\\') ++at;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++open > max_depth) return true;
        } else if ((c == ']' || c == '}') && open > 0) {
            --open;
        }
    }
    return false;
}

/// Null where the value can be written, else what stands in the way. Walks without recursion, so that
/// it may be asked about anything.
const char* obstacle(const nlohmann::json& value) {
    std::vector<std::pair<const nlohmann::json*, std::size_t>> todo{{&value, 0}};
    while (!todo.empty()) {
        const auto [next, depth] = todo.back();
        todo.pop_back();
        if (depth >= max_depth && next->is_structured()) return "it is nested too deeply";
        if (next->is_number_float() && !std::isfinite(next->get<double>()))
            return "it holds a number that is infinite or not a number";
        if (next->is_binary() || next->is_discarded()) return "it holds a value that JSON does not have";
        if (next->is_structured())
            for (const auto& child : *next) todo.emplace_back(&child, depth + 1);
    }
    return nullptr;
}

}  // namespace

Result<nlohmann::json> read_json(std::string_view text) try {
    if (too_deep(text)) return fail(Cause::bad_answer, "JSON nested more than {} levels deep", max_depth);
    return nlohmann::json::parse(text);
} catch (const nlohmann::json::parse_error& error) {
    // Its own text quotes the document, which is none of a message's business.
    return fail(Cause::bad_answer, "not JSON, as seen at byte {} of {}", error.byte, text.size());
} catch (const nlohmann::json::exception&) {
    return fail(Cause::bad_answer, "JSON with a number out of range");
}

Result<std::string> write_json(const nlohmann::json& value) try {
    if (const auto* why = obstacle(value)) return fail(Cause::invalid, "this cannot be sent: {}", why);
    return value.dump();
} catch (const nlohmann::json::type_error&) {
    return fail(Cause::invalid, "this cannot be sent: it holds text that is not UTF-8");
}

std::string printable(std::string_view text, std::size_t most) {
    const bool cut = text.size() > most;
    // What dump makes of a string is what is wanted here, but for the quotes around it.
    auto line = nlohmann::json(std::string(text.substr(0, most)))
                    .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    line = line.substr(1, line.size() - 2);
    return cut ? line + " …" : line;
}

}  // namespace sg::site
