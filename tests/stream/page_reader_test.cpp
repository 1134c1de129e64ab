#include "stream/page_reader.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include "catch.hpp"
#include "event_json.hpp"

using namespace sg;
using namespace sg::stream;
using test::event_json;
using test::page_json;

namespace {

EventQuery after(EventId id) {
    EventQuery query;
    query.after = id;
    return query;
}

Result<ReadPage> read(const std::string& bytes, EventId above = 0) {
    PageReader reader;
    return reader.read(bytes, after(above));
}

/// A page of one row whose text is given.
std::string with_row(const std::string& row) { return R"({"results":{"entities":[)" + row + "]}}"; }

std::vector<EventId> ids(const ReadPage& page) {
    std::vector<EventId> out;
    for (const auto& row : page.page->rows()) out.push_back(row.id);
    return out;
}

}  // namespace

TEST_CASE("a row is read with its type, attribute, project, time and own text") {
    const auto result = read(page_json(std::vector<EventId>{101, 102}));
    REQUIRE(result);
    REQUIRE(result->page->rows().size() == 2);
    const auto& row = result->page->rows()[0];
    CHECK(row.id == 101);
    CHECK(row.type == "Shotgun_Task_Change");
    CHECK(row.attribute == "sg_status_list");
    CHECK(row.project == 70);
    CHECK(row.created_at == std::chrono::sys_days(std::chrono::year(2026) / 3 / 4));
    CHECK(nlohmann::json::parse(row.raw) == event_json(101));
    CHECK(result->facts.rows == 2);
    CHECK_FALSE(result->facts.reordered);
}

TEST_CASE("a page without rows is read, wrapped in results or not") {
    for (const char* text : {R"({"results":{"entities":[],"paging_info":{"current_page":1}}})",
                             R"({"entities":[]})", " { \"entities\" : [ ] } "}) {
        INFO(text);
        const auto result = read(text);
        REQUIRE(result);
        CHECK(result->page->rows().empty());
    }
}

TEST_CASE("rows are found whatever stands around them") {
    const std::string row = R"({"id":7,"meta":{"entities":[{"id":1}],"results":{"entities":[]}}})";
    for (const auto& text :
         {R"({"x":"results","other":{"entities":[{"id":3}]},"results":{"a":[{"id":9},[]],"entities":[)" +
              row + R"(],"paging_info":{"b":[{"id":4}]}},"tail":[{}]})",
          R"({"x":"entities","entities":[)" + row + "]}"}) {
        INFO(text);
        const auto result = read(text);
        REQUIRE(result);
        REQUIRE(ids(*result) == std::vector<EventId>{7});
        CHECK(result->page->rows()[0].raw == row);
    }
}

TEST_CASE("a page with two lists that could be meant is refused, whatever their names are spelled like") {
    const std::string one = R"([{"id":101}])", two = R"([{"id":102}])",
                      large = R"([{"id":102,"x":1e25,"y":)" + std::string(30, '1') + "}]";
    for (const auto& text : {
             R"({"entities":)" + one + R"(,"results":{"entities":)" + two + "}}",
             R"({"results":{"entities":)" + one + R"(,"entities":)" + two + "}}",
             R"({"results":{"entities":)" + one + R"(},"results":{"entities":)" + two + "}}",
             R"({"results":{"\u0065ntities":)" + one + R"(,"entities":)" + two + "}}",
             R"({"results":{"\u0065ntities":)" + one + R"(},"other":{"entities":)" + two + "}}",
             R"({"results":{"entities":)" + large + R"(},"results":{"entities":)" + one + "}}",
         }) {
        INFO(text);
        const auto result = read(text);
        REQUIRE_FALSE(result);
        CHECK(result.error().cause == Cause::bad_answer);
    }
}

TEST_CASE("of a field that a row repeats the last one counts") {
    const auto result = read(with_row(
        R"({"id":3,"id":7,"event_type":"A","event_type":null,"attribute_name":"a","attribute_name":"b",)"
        R"("project":{"id":1},"project":{"id":2},"project":null,"created_at":"2026-03-04T00:00:00Z","created_at":null})"));
    REQUIRE(result);
    REQUIRE(ids(*result) == std::vector<EventId>{7});
    const auto& row = result->page->rows()[0];
    CHECK(row.type.empty());
    CHECK(row.attribute == "b");
    CHECK(row.project == 0);
    CHECK(row.created_at == std::chrono::sys_seconds());
}

TEST_CASE("C94 rows out of order are sorted, repeated rows dropped, rows below the asked id ignored") {
    const auto result = read(page_json(std::vector<EventId>{105, 103, 99, 103, 100, 104}), 100);
    REQUIRE(result);
    CHECK(ids(*result) == std::vector<EventId>{103, 104, 105});
    CHECK(result->facts.rows == 6);
    CHECK(result->facts.repeated == 1);
    CHECK(result->facts.ignored == 2);
    CHECK(result->facts.reordered);
}

TEST_CASE("rows outside the ranges that were asked for are ignored") {
    PageReader reader;
    EventQuery query;
    query.kind = EventQuery::Kind::within;
    query.ranges = {{10, 12}, {20, 20}};
    const auto result = reader.read(page_json(std::vector<EventId>{9, 10, 13, 20, 21}), query);
    REQUIRE(result);
    CHECK(ids(*result) == std::vector<EventId>{10, 20});
    CHECK(result->facts.ignored == 3);
}

TEST_CASE("C94 unknown fields are no trouble") {
    const auto result = read(with_row(R"({"id":1,"brand_new":{"a":[1,2,{"b":null}]},"event_type":"X"})"));
    REQUIRE(result);
    CHECK(result->page->rows()[0].type == "X");
}

TEST_CASE("C94 HTML and truncated JSON are refused, at whichever byte they end") {
    const auto html = read("<html><body>Down for maintenance</body></html>");
    REQUIRE_FALSE(html);
    CHECK(html.error().cause == Cause::bad_answer);
    CHECK(html.error().message.find("maintenance") ==
          std::string::npos);  // no text of the answer in a message
    const auto whole = page_json(std::vector<EventId>{1, 2});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        const auto result = read(whole.substr(0, size));
        REQUIRE_FALSE(result);
        CHECK(result.error().cause == Cause::bad_answer);
    }
}

TEST_CASE("an answer of another shape is refused") {
    for (const char* text :
         {"[]", "null", "3", "\"x\"", "{}", R"({"results":null})", R"({"results":[]})", R"({"results":{}})",
          R"({"results":{"entities":null}})", R"({"results":{"entities":{}}})",
          R"({"results":{"entities":[1]}})", R"({"results":{"entities":[[]]}})",
          R"({"results":{"entities":[{"id":1},2]}})", R"({"results":{"entities":[{"id":1}]}} x)",
          R"({"results":{"entit\u0069es":[{"id":1}]}})"}) {
        INFO(text);
        const auto result = read(text);
        REQUIRE_FALSE(result);
        CHECK(result.error().cause == Cause::bad_answer);
    }
}

TEST_CASE("an id must be a positive integer of at most 63 bits, and is exact") {
    for (const char* id : {"0", "-1", "1.0", "1.5", "\"7\"", "null", "true", "[1]", "9223372036854775808",
                           "99999999999999999999999", "1e3"}) {
        INFO(id);
        CHECK_FALSE(read(with_row(std::string(R"({"id":)") + id + R"(,"event_type":"X"})")));
    }
    CHECK_FALSE(read(with_row(R"({"event_type":"X"})")));
    for (const EventId id : {EventId{1}, EventId{9007199254740993}, std::numeric_limits<EventId>::max()}) {
        const auto result = read(with_row(R"({"id":)" + std::to_string(id) + "}"));
        REQUIRE(result);
        CHECK(result->page->rows()[0].id == id);
    }
}

TEST_CASE("null and absent fields are read as empty") {
    for (const char* row :
         {R"({"id":5,"event_type":null,"attribute_name":null,"project":null,"created_at":null})",
          R"({"id":5})", R"({"id":5,"project":{"type":"Project"}})"}) {
        const auto result = read(with_row(row));
        REQUIRE(result);
        const auto& read_row = result->page->rows()[0];
        CHECK(read_row.type.empty());
        CHECK(read_row.attribute.empty());
        CHECK(read_row.project == 0);
        CHECK(read_row.created_at == std::chrono::sys_seconds{});
    }
}

TEST_CASE("fields of the wrong type refuse the page") {
    for (const char* field :
         {R"("event_type":7)", R"("attribute_name":{})", R"("project":70)", R"("project":"Demo")",
          R"("project":{"id":"70"})", R"("created_at":1700000000)"}) {
        INFO(field);
        CHECK_FALSE(read(with_row(std::string(R"({"id":5,)") + field + "}")));
    }
}

TEST_CASE("a time is read strictly") {
    const auto time = [](const std::string& text) {
        return read(with_row(R"({"id":5,"created_at":")" + text + "\"}"));
    };
    const auto good = time("2024-02-29T23:59:58Z");
    REQUIRE(good);
    CHECK(good->page->rows()[0].created_at.time_since_epoch() == std::chrono::seconds(1709251198));
    for (const char* bad : {"2026-03-04 05:06:07", "2026-03-04T05:06:07", "2026-03-04T05:06:07+0",
                            "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-04T24:00:00Z",
                            "2026-03-04T00:60:00Z", "", "2026-3-4T00:00:00ZZ", "2026-03-04T05:06:07.5Z"}) {
        INFO(bad);
        CHECK_FALSE(time(bad));
    }
}

TEST_CASE("escaped text is unescaped, and stays after the reader has gone on") {
    event::PagePtr page;
    {
        PageReader reader;
        auto first = reader.read(
            with_row(R"({"id":5,"event_type":"a\"b\u00e9\n","attribute_name":"\ud83d\ude00"})"), after(0));
        REQUIRE(first);
        page = first->page;
        REQUIRE(reader.read(page_json(std::vector<EventId>{1, 2, 3}), after(0)));
    }
    CHECK(page->rows()[0].type == "a\"b\xc3\xa9\n");
    CHECK(page->rows()[0].attribute == "\xf0\x9f\x98\x80");
}

TEST_CASE("broken text anywhere refuses the page, in fields nobody reads too") {
    for (const char* value : {"\"\xff\xfe\"", "\"\xc3\"", R"("\ud800")", R"("\q")", "\"a\nb\"", "tru", "01",
                              "+1", "NaN", "1.", "[1,]", "{\"a\"}", "'x'"}) {
        INFO(value);
        CHECK_FALSE(read(with_row(std::string(R"({"id":5,"meta":{"x":)") + value + "}}")));
    }
}

TEST_CASE("nesting is bounded") {
    const auto nested = [](std::size_t depth) {
        return with_row(R"({"id":5,"meta":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
    };
    CHECK(read(nested(900)));
    CHECK_FALSE(read(nested(1'100)));
    CHECK_FALSE(read(nested(200'000)));
    // A number that makes the fast reader stop before it sees the depth.
    CHECK_FALSE(read(with_row(R"({"id":5,"n":123456789012345678901234,"meta":)" + std::string(200'000, '[') +
                              std::string(200'000, ']') + "}")));
}

TEST_CASE("numbers beyond 64 bits in other fields are no reason to refuse a page") {
    const std::string row =
        R"({"id":9007199254740993,"event_type":"X\u0041","project":{"id":70},"meta":{"n":123456789012345678901234},)"
        R"("created_at":"1970-01-01T00:00:09Z"})";
    const auto result = read(with_row(row));
    REQUIRE(result);
    const auto& read_row = result->page->rows()[0];
    CHECK(read_row.id == 9007199254740993);
    CHECK(read_row.type == "XA");
    CHECK(read_row.project == 70);
    CHECK(read_row.created_at.time_since_epoch() == std::chrono::seconds(9));
    CHECK(read_row.raw == row);
    CHECK_FALSE(read(with_row(R"({"id":0,"meta":123456789012345678901234})")));
    CHECK_FALSE(read(with_row(R"({"id":1,"meta":123456789012345678901234,"x":"\q"})")));
    CHECK_FALSE(read(R"({"results":[123456789012345678901234]})"));
}

TEST_CASE("a megabyte of meta is read") {
    auto row = event_json(8);
    row["meta"]["new_value"] = std::string(1'000'000, 'x') + "\"\\";
    const auto result = read(page_json(nlohmann::json::array({row, event_json(9)})));
    REQUIRE(result);
    CHECK(ids(*result) == std::vector<EventId>{8, 9});
    CHECK(nlohmann::json::parse(result->page->rows()[0].raw) == row);
}

TEST_CASE("a site's fault is recognised with its code") {
    const auto login =
        read(R"({"exception":true,"error_code":102,"message":"Can't authenticate script 'secret'"})");
    REQUIRE_FALSE(login);
    CHECK(login.error().cause == Cause::authentication);
    CHECK(login.error().site_code == 102);
    CHECK(login.error().message.find("secret") == std::string::npos);
    const auto bad = read(R"({"exception":true,"message":"?"})");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().cause == Cause::bad_request);
    CHECK(bad.error().site_code == 0);
    CHECK(read(R"({"exception":false,"results":{"entities":[]}})"));
}

TEST_CASE("whatever happens to the bytes, a page is refused whole or every row of it is sound") {
    const char* given = std::getenv("SG_TEST_SEED");
    const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    INFO("SG_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
    auto odd = event_json(4);
    odd["meta"] = nlohmann::json::parse(R"({"a\"b":[1.5e3,-0,true,null,{"\u00e9":"\ud83d\ude00"}]})");
    const auto whole = page_json(nlohmann::json::array({event_json(2), odd, event_json(9)}));
    constexpr std::string_view alphabet = "{}[]\",:\\0123456789-+.eEtfnu/\x01\x80\xff \n";
    PageReader reader;
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = whole;
        for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
            const auto at = below(bytes.size());
            switch (below(4)) {
                case 0:
                    bytes[at] = alphabet[below(alphabet.size())];
                    break;
                case 1:
                    bytes.insert(at, 1, alphabet[below(alphabet.size())]);
                    break;
                case 2:
                    bytes.erase(at, 1 + below(8));
                    break;
                default:
                    bytes.insert(at, bytes.substr(below(bytes.size()), below(40)));
            }
            if (bytes.empty()) bytes = "{";
        }
        const auto result = reader.read(bytes, after(1));
        const bool sound = nlohmann::json::accept(bytes);
        if (!result) continue;
        ++accepted;
        if (!sound) FAIL("accepted what is no JSON: " << bytes);
        EventId last = 1;
        for (const auto& row : result->page->rows()) {
            const auto json = nlohmann::json::parse(row.raw, nullptr, false);
            if (!json.is_object() || !json["id"].is_number_integer() || json["id"].get<EventId>() != row.id ||
                row.id <= last ||
                (json.contains("event_type") && json["event_type"].is_string() &&
                 json["event_type"].get<std::string>() != row.type))
                FAIL("a row is not what its text says: " << bytes);
            last = row.id;
        }
    }
    CHECK(accepted > 100);  // else the changes never left anything to look at
}

TEST_CASE("measure: reading a page", "[.measure]") {
    auto rows = nlohmann::json::array();
    for (int i = 0; i < 500; ++i) {
        rows.push_back(event_json(4'000'000 + i));
        rows.back()["meta"]["text"] = std::string(480, 'x');
    }
    const auto bytes = page_json(rows);
    PageReader reader;
    double best = 1e9;
    for (int i = 0; i < 200; ++i) {
        auto copy = bytes;
        copy.reserve(copy.size() + 64);
        const auto begin = std::chrono::steady_clock::now();
        const auto result = reader.read(std::move(copy), after(0));
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
        REQUIRE(result);
        best = std::min(best, took.count() / 500);
    }
    std::cout << bytes.size() / 500 << " bytes per event, " << best << " us per event\n";
}
