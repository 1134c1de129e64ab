#include "sandbox/faulty_answer.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <algorithm>
#include <array>
#include <stdexcept>

#include "sandbox/filter.hpp"

namespace sg::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;

std::string page_of(unsigned status) {
    return fmt::format(
        "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n", status);
}

std::string gzip(const std::string& text) {
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib does not start");
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const auto ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END) throw std::runtime_error("zlib could not compress an answer");
    return out;
}

/// The highest id that the request said it has already.
Id asked_above(const RpcCall& call) {
    Request request;
    request.params = call.params;
    const auto ids = request.filter_ids("greater_than");
    return ids.empty() ? 0 : *std::ranges::max_element(ids);
}

/// Changes the rows of the answer to a `read`; any other answer stays as it is.
void change_rows(HttpAnswer& answer, FaultKind kind, const RpcCall& call) {
    auto body = Ordered::parse(answer.body, nullptr, false);
    if (!body.is_object() || !body.contains("results") || !body["results"].is_object() ||
        !body["results"].contains("entities"))
        return;
    auto& rows = body["results"]["entities"];
    if (kind == FaultKind::row_below) {
        auto row = rows.empty() ? Ordered{{"type", call.entity_type}} : rows.front();
        row["id"] = asked_above(call);
        rows.insert(rows.begin(), std::move(row));
    }
    if (rows.empty()) return;
    if (kind == FaultKind::rows_reversed) std::reverse(rows.begin(), rows.end());
    if (kind == FaultKind::row_twice) {
        auto again = rows.front();
        rows.push_back(std::move(again));
    }
    if (kind == FaultKind::unknown_field)
        for (auto& row : rows)
            row["sg_unheard_of"] = Ordered{{"nested", {1, "two", nullptr}}, {"text", "\xc3\xa9\n"}};
    answer.body = body.dump();
}

Delivery delivery_of(FaultKind kind) {
    switch (kind) {
        case FaultKind::never_answer:
            return Delivery::nothing;
        case FaultKind::hang_in_body:
            return Delivery::half_then_hang;
        case FaultKind::cut_in_body:
            return Delivery::half_then_close;
        case FaultKind::drip:
            return Delivery::drip;
        case FaultKind::close:
            return Delivery::close;
        case FaultKind::reset:
            return Delivery::reset;
        default:
            return Delivery::whole;
    }
}

}  // namespace

std::string_view name_of(FaultKind kind) noexcept {
    static constexpr std::array<std::string_view, 15> names{
        "none",         "never_answer",  "hang_in_body", "cut_in_body", "drip",
        "close",        "reset",         "status",       "body",        "truncated_json",
        "invalid_json", "rows_reversed", "row_twice",    "row_below",   "unknown_field"};
    return names[static_cast<std::size_t>(kind)];
}

std::vector<std::int64_t> Request::filter_ids(std::string_view relation) const {
    std::vector<std::int64_t> out;
    const std::function<void(const Json&)> walk = [&](const Json& node) {
        if (!node.is_object()) return;
        if (const auto inner = node.find("conditions"); inner != node.end() && inner->is_array())
            for (const auto& condition : *inner) walk(condition);
        if (!node.contains("path") || node["path"] != "id" || !node.contains("relation")) return;
        if (node["relation"] != relation || !node.contains("values") || !node["values"].is_array()) return;
        for (const auto& value : node["values"])
            if (value.is_number_integer()) out.push_back(value.get<std::int64_t>());
    };
    if (params.is_object() && params.contains("filters")) walk(params["filters"]);
    return out;
}

bool answers_with_data(FaultKind kind) noexcept {
    switch (kind) {
        case FaultKind::never_answer:
        case FaultKind::close:
        case FaultKind::reset:
        case FaultKind::status:
        case FaultKind::body:
            return false;
        default:
            return true;
    }
}

void spoil(HttpAnswer& answer, const Fault& fault, const RpcCall& call) {
    answer.delivery = delivery_of(fault.kind);
    answer.interval = fault.interval;
    answer.cut_at = fault.cut_at;
    if (!answers_with_data(fault.kind)) answer.content.reset();
    answer.delay = fault.delay;
    answer.gate = fault.gate;
    switch (fault.kind) {
        case FaultKind::status:
            answer.status = fault.http_status;
            answer.content_type = "text/html";
            answer.body = fault.text.empty() ? page_of(fault.http_status) : fault.text;
            break;
        case FaultKind::body:
            answer.body = fault.text;
            answer.content_type = fault.content_type;
            break;
        case FaultKind::truncated_json:
            answer.body.resize(answer.body.size() / 2);
            break;
        case FaultKind::invalid_json:
            answer.body += "]}";
            break;
        case FaultKind::rows_reversed:
        case FaultKind::row_twice:
        case FaultKind::row_below:
        case FaultKind::unknown_field:
            change_rows(answer, fault.kind, call);
            break;
        default:
            break;
    }
    if (fault.retry_after_text) answer.headers.emplace_back("Retry-After", *fault.retry_after_text);
    if (fault.gzip && !answer.content) {
        answer.body = gzip(answer.body);
        answer.headers.emplace_back("Content-Encoding", "gzip");
    }
}

}  // namespace sg::sandbox
