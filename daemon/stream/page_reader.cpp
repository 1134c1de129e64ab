#include "stream/page_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "util/utc_text.hpp"

namespace sg::stream {
namespace {

namespace dom = simdjson::dom;
using event::EventRow;

constexpr int deepest = 1000;  // nlohmann::json copies and prints recursively

bool parse_time(std::string_view text, std::chrono::sys_seconds& out) {
    const auto time = read_utc(text);
    if (time) out = *time;
    return time.has_value();
}

/// Where the rows of the answer stand in its bytes.
///
/// The tree that simdjson builds does not say where a value stood. Its index of structural
/// characters does, and reading that again costs a fifth of what a second parse would. The index is
/// public but not promised; a different one would make the number of rows differ, which is checked.
class RowSlices {
public:
    RowSlices(std::string_view bytes, const simdjson::internal::dom_parser_implementation& parsed)
        : bytes_(bytes), at_(parsed.structural_indexes.get()), count_(parsed.n_structural_indexes) {}

    /// False: nested too deep, or no list of rows.
    bool find(std::vector<std::string_view>& rows) {
        std::uint32_t i = 0;
        int depth = 0;
        const bool found = find_list(i, depth);
        const int inside = depth;
        int most = depth;
        std::size_t begin = 0;
        // Hot: conditions are joined with & because each alone is hard to predict, both together are not.
        for (; found && i < count_; ++i) {
            const int step = steps[static_cast<unsigned char>(bytes_[at_[i]])];
            if ((step > 0) & (depth == inside)) begin = at_[i];
            depth += step;
            most = std::max(most, depth);
            if ((step < 0) & (depth == inside)) rows.push_back(bytes_.substr(begin, at_[i] + 1 - begin));
            if (depth < inside) break;
        }
        for (; i < count_; ++i) {
            depth += steps[static_cast<unsigned char>(bytes_[at_[i]])];
            most = std::max(most, depth);
        }
        return found && most <= deepest;
    }

private:
    static constexpr std::array<signed char, 256> steps = [] {
        std::array<signed char, 256> out{};
        out['{'] = out['['] = 1;
        out['}'] = out[']'] = -1;
        return out;
    }();

    /// Goes to just behind the bracket that opens the list; `depth` is then that of its rows' parent.
    bool find_list(std::uint32_t& i, int& depth) const {
        int holder = 1;  // depth of the object that holds the list
        for (; i < count_; ++i) {
            depth += steps[static_cast<unsigned char>(bytes_[at_[i]])];
            if (depth > deepest || depth < holder) return false;
            if (bytes_[at_[i]] != '"' || depth != holder) continue;
            if (holder == 1 && is_key(i, "results", '{')) {
                i += 2;
                holder = ++depth;
            } else if (is_key(i, "entities", '[')) {
                i += 3;
                ++depth;
                return true;
            }
        }
        return false;
    }

    /// Whether the string at index `i` is this key, and its value begins with `opens`.
    bool is_key(std::uint32_t i, std::string_view key, char opens) const {
        return i + 2 < count_ && bytes_[at_[i + 1]] == ':' && bytes_[at_[i + 2]] == opens &&
               bytes_.compare(at_[i] + 1, key.size(), key) == 0 && bytes_[at_[i] + 1 + key.size()] == '"';
    }

    std::string_view bytes_;
    const std::uint32_t* at_;
    std::uint32_t count_;
};

/// Where the parser's own buffer holds the strings, they are copied beside the page before it is reused.
/// Nearly all rows repeat the strings of a row shortly before them.
class SideText {
public:
    void add(std::string_view text) { size_ += text.size(); }
    void allocate() {
        if (size_ != 0) text_ = std::make_unique<char[]>(size_);
    }
    std::string_view keep(std::string_view text, std::string_view& last) {
        if (text.empty()) return {};
        if (text == last) return last;
        std::memcpy(text_.get() + used_, text.data(), text.size());
        last = {text_.get() + used_, text.size()};
        used_ += text.size();
        return last;
    }
    std::unique_ptr<char[]> take() { return std::move(text_); }

private:
    std::unique_ptr<char[]> text_;
    std::size_t size_ = 0;
    std::size_t used_ = 0;
};

/// What is wrong with a row, or nullptr.
using Complaint = const char*;

constexpr Complaint bad_text = "an event's type or attribute is neither text nor null";
constexpr Complaint bad_id = "an event without a positive integer id";
constexpr Complaint bad_project = "an event's project is no link";
constexpr Complaint bad_time = "an event's created_at is no UTC time";

// Of a field that is repeated the last one counts, as for every other reader of the same bytes.
Complaint read_text(dom::element value, std::string_view& out) {
    out = {};
    if (value.is_null()) return nullptr;
    return value.get(out) == simdjson::SUCCESS ? nullptr : bad_text;
}

Complaint read_project(dom::element value, EntityId& out) {
    out = 0;
    if (value.is_null()) return nullptr;
    dom::object link;
    if (value.get(link) != simdjson::SUCCESS) return bad_project;
    for (const auto field : link)
        if (field.key == "id" && field.value.get(out) != simdjson::SUCCESS) return bad_project;
    return nullptr;
}

Complaint read_row(dom::element value, EventRow& row) {
    dom::object fields;
    if (value.get(fields) != simdjson::SUCCESS) return "an event that is no object";
    Complaint complaint = nullptr;
    for (const auto field : fields) {
        const std::string_view key = field.key;
        if (key == "id") {
            if (field.value.get(row.id) != simdjson::SUCCESS) complaint = bad_id;
        } else if (key == "event_type") {
            complaint = read_text(field.value, row.type);
        } else if (key == "attribute_name") {
            complaint = read_text(field.value, row.attribute);
        } else if (key == "project") {
            complaint = read_project(field.value, row.project);
        } else if (key == "created_at") {
            std::string_view text;
            complaint = read_text(field.value, text);
            row.created_at = {};
            if (complaint == nullptr && text.data() != nullptr && !parse_time(text, row.created_at))
                complaint = bad_time;
        }
        if (complaint != nullptr) return complaint;
    }
    return row.id > 0 ? nullptr : bad_id;
}

// The same once more for the rare page that only the slower reader accepts.
Complaint read_row(const nlohmann::json& value, EventRow& row) {
    if (!value.is_object()) return "an event that is no object";
    const auto text = [&](const char* key, std::string_view& out) {
        const auto field = value.find(key);
        if (field == value.end() || field->is_null()) return true;
        if (field->is_string()) out = field->get_ref<const std::string&>();
        return field->is_string();
    };
    const auto integer = [](const nlohmann::json& from, EntityId& out) {
        if (!from.is_number_integer() || (from.is_number_unsigned() && from.get<std::uint64_t>() >> 63 != 0))
            return false;
        out = from.get<EntityId>();
        return true;
    };
    std::string_view time;
    if (!text("event_type", row.type) || !text("attribute_name", row.attribute)) return bad_text;
    if (!text("created_at", time) || (time.data() != nullptr && !parse_time(time, row.created_at)))
        return bad_time;
    const auto id = value.find("id");
    if (id == value.end() || !integer(*id, row.id) || row.id <= 0) return bad_id;
    const auto project = value.find("project");
    if (project == value.end() || project->is_null()) return nullptr;
    if (!project->is_object()) return bad_project;
    const auto link = project->find("id");
    return link == project->end() || integer(*link, row.project) ? nullptr : bad_project;
}

/// Whether the list of rows can be only one, by whatever name: that of RowSlices is then the tree's.
bool is_only_list(dom::object top) {
    const auto count = [](dom::object object, std::string_view key, dom::element& value) {
        std::size_t found = 0;
        for (const auto field : object)
            if (field.key == key) {
                value = field.value;
                ++found;
            }
        return found;
    };
    dom::element results, list;
    const auto wraps = count(top, "results", results);
    const auto bare = count(top, "entities", list);
    if (wraps == 0) return bare == 1;
    dom::object inside;
    return wraps == 1 && bare == 0 && results.get(inside) == simdjson::SUCCESS &&
           count(inside, "entities", list) == 1;
}

bool asked_for(const EventQuery& query, EventId id) {
    if (query.kind == EventQuery::Kind::newest || query.kind == EventQuery::Kind::since) return true;
    if (query.kind == EventQuery::Kind::after || query.kind == EventQuery::Kind::window)
        return id > query.after;
    return std::any_of(query.ranges.begin(), query.ranges.end(),
                       [&](const IdRange& range) { return id >= range.first && id <= range.last; });
}

void arrange(std::vector<EventRow>& rows, const EventQuery& query, PageFacts& facts) {
    const auto by_id = [](const EventRow& a, const EventRow& b) { return a.id < b.id; };
    facts.rows = rows.size();
    if (!std::is_sorted(rows.begin(), rows.end(), by_id)) {
        facts.reordered = true;
        std::stable_sort(rows.begin(), rows.end(), by_id);
    }
    const auto unwanted = [&](const EventRow& row) { return !asked_for(query, row.id); };
    facts.ignored = std::erase_if(rows, unwanted);
    const auto repeated = std::unique(rows.begin(), rows.end(),
                                      [](const EventRow& a, const EventRow& b) { return a.id == b.id; });
    facts.repeated = static_cast<std::size_t>(rows.end() - repeated);
    rows.erase(repeated, rows.end());
}

tl::unexpected<Failure> site_fault(std::int64_t code) {
    const bool login = code == 102 || code == 106 || code == 108 || code == 110;
    auto failure = fail(login ? Cause::authentication : Cause::bad_request,
                        "the site refused the query with error {}", code);
    if (code > 0 && code < 100'000) failure.value().site_code = static_cast<int>(code);
    return failure;
}

}  // namespace

class PageReader::Impl {
public:
    Result<ReadPage> read(std::string bytes, const EventQuery& query);

private:
    Result<std::vector<EventRow>> rows_of(dom::element document, std::string_view bytes);
    Result<std::vector<EventRow>> rows_of_large_numbers(std::string_view bytes);

    dom::parser parser_;
    nlohmann::json slow_;  // kept while views point into it
};

Result<std::vector<EventRow>> PageReader::Impl::rows_of(dom::element document, std::string_view bytes) {
    dom::object top;
    if (document.get(top) != simdjson::SUCCESS)
        return fail(Cause::bad_answer, "the answer is no JSON object");
    bool fault = false;
    if (top["exception"].get(fault) == simdjson::SUCCESS && fault) {
        std::int64_t code = 0;
        if (top["error_code"].get(code) != simdjson::SUCCESS) code = 0;
        return site_fault(code);
    }
    dom::element results;
    dom::array list;
    const bool wrapped = top["results"].get(results) == simdjson::SUCCESS;
    if ((wrapped ? results["entities"] : top["entities"]).get(list) != simdjson::SUCCESS)
        return fail(Cause::bad_answer, "the answer holds no list of events");

    std::vector<std::string_view> raw;
    raw.reserve(512);
    if (!is_only_list(top)) return fail(Cause::bad_answer, "the answer holds more than one list of events");
    if (!RowSlices(bytes, *parser_.implementation).find(raw))
        return fail(Cause::bad_answer, "the answer is nested too deep, or its list of events is hidden");
    std::vector<EventRow> rows;
    rows.reserve(raw.size());
    for (const auto value : list) {
        if (rows.size() == raw.size()) break;
        EventRow& row = rows.emplace_back();
        if (const auto complaint = read_row(value, row)) return fail(Cause::bad_answer, "{}", complaint);
        row.raw = raw[rows.size() - 1];
    }
    if (rows.size() != raw.size() || rows.size() != list.size())
        return fail(Cause::bad_answer, "the list of events holds something that is no event");
    return rows;
}

Result<std::vector<EventRow>> PageReader::Impl::rows_of_large_numbers(std::string_view bytes) {
    std::vector<std::string_view> raw;
    if (!RowSlices(bytes, *parser_.implementation)
             .find(raw))  // also keeps deep nesting from the other parser
        return fail(Cause::bad_answer, "the answer holds no list of events");
    slow_ = nlohmann::json::parse(bytes, nullptr, false);
    if (slow_.is_discarded() || !slow_.is_object())
        return fail(Cause::bad_answer, "the answer holds a number that cannot be read");
    const auto results = slow_.find("results");
    const auto& holder = results != slow_.end() ? *results : slow_;
    const auto list = holder.is_object() ? holder.find("entities") : holder.end();
    if (!holder.is_object() || list == holder.end() || !list->is_array() || list->size() != raw.size())
        return fail(Cause::bad_answer, "the answer holds no list of events");
    std::vector<EventRow> rows(raw.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& value = (*list)[i];
        if (const auto complaint = read_row(value, rows[i])) return fail(Cause::bad_answer, "{}", complaint);
        // The other parser takes the last of two lists, and the slices are those of the first.
        if (nlohmann::json::parse(raw[i], nullptr, false) != value)
            return fail(Cause::bad_answer, "the answer holds more than one list of events");
        rows[i].raw = raw[i];
    }
    return rows;
}

Result<ReadPage> PageReader::Impl::read(std::string bytes, const EventQuery& query) {
    if (bytes.empty()) return fail(Cause::bad_answer, "the answer is empty");
    bytes.reserve(std::max<std::size_t>(bytes.size() + simdjson::SIMDJSON_PADDING, 64));
    // Everything below points into this string, which therefore lives in the page from here on: a
    // vector of rows is moved into a page of the same bytes at the end.
    const auto parsed =
        parser_.parse(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), false);
    Result<std::vector<EventRow>> rows;
    if (parsed.error() == simdjson::SUCCESS)
        rows = rows_of(parsed.value_unsafe(), bytes);
    else if (parsed.error() == simdjson::NUMBER_ERROR)
        rows = rows_of_large_numbers(bytes);
    else
        return fail(Cause::bad_answer, "the answer is no sound JSON: {}",
                    simdjson::error_message(parsed.error()));
    if (!rows) return tl::unexpected<Failure>(std::move(rows.error()));

    ReadPage out;
    arrange(*rows, query, out.facts);
    SideText side;
    for (const auto& row : *rows) {
        side.add(row.type);
        side.add(row.attribute);
    }
    side.allocate();
    std::string_view last_type, last_attribute;
    for (auto& row : *rows) {
        row.type = side.keep(row.type, last_type);
        row.attribute = side.keep(row.attribute, last_attribute);
    }
    slow_ = nullptr;
    out.page = std::make_shared<const event::EventPage>(std::move(bytes), std::move(*rows), side.take());
    return out;
}

PageReader::PageReader() : impl_(std::make_unique<Impl>()) {}
PageReader::~PageReader() = default;

Result<ReadPage> PageReader::read(std::string bytes, const EventQuery& query) {
    return impl_->read(std::move(bytes), query);
}

}  // namespace sg::stream
