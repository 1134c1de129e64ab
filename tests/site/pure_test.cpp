// What needs no network: addresses, filters, values, secrets.

#include <limits>

#include "catch.hpp"
#include "site/endpoint.hpp"
#include "site/filters.hpp"
#include "site/json_text.hpp"
#include "site/secrets.hpp"

namespace pure_test {

using namespace sg;
using namespace sg::site;
using nlohmann::json;

TEST_CASE("a base URL leads to the endpoint that the official client would call") {
    struct Row {
        const char *base, *url, *user, *password;
    };
    const auto row =
        GENERATE(Row{"https://studio.example.com", "https://studio.example.com/api3/json", "", ""},
                 Row{"https://Studio.Example.com/", "https://studio.example.com/api3/json", "", ""},
                 Row{"https://h/something", "https://h/api3/json", "", ""},
                 Row{"https://h/something/", "https://h/something/api3/json", "", ""},
                 Row{"https://h/a/b", "https://h/a/api3/json", "", ""},
                 Row{"https://h:8443", "https://h:8443/api3/json", "", ""},
                 Row{"https://jo%40e:p%3Aw@h", "https://h/api3/json", "jo@e", "p:w"},
                 Row{"HTTP://JoE:PassWord@H/MiXed/?q=1#frag", "http://h/mixed/api3/json", "JoE", "PassWord"},
                 Row{"http://[::1]:8080/x/", "http://[::1]:8080/x/api3/json", "", ""});
    const auto endpoint = Endpoint::from_base_url(row.base);
    INFO(row.base << ": " << (endpoint ? "" : endpoint.error().message));
    REQUIRE(endpoint);
    CHECK(endpoint->url == row.url);
    CHECK(endpoint->user == row.user);
    CHECK(endpoint->password == row.password);
}

TEST_CASE("a base URL that leads nowhere is refused without repeating its password") {
    const std::string base =
        GENERATE("ftp://u:hunter2@h", "u:hunter2@h", "studio.example.com", "", "https://",
                 "https://u:hunter2@h:99999999", "file:///etc/passwd", "https://u:hunter2@h x/");
    const auto endpoint = Endpoint::from_base_url(base);
    INFO(base);
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().cause == Cause::invalid);
    CHECK(endpoint.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("a proxy is read as host and port, with or without a login") {
    struct Row {
        const char *text, *host;
        int port;
        const char *user, *password;
    };
    const auto row =
        GENERATE(Row{"proxy", "proxy", 8080, "", ""}, Row{"proxy:3128", "proxy", 3128, "", ""},
                 Row{"u:p@proxy:3128", "proxy", 3128, "u", "p"},
                 Row{"u:p@w:d@proxy", "proxy", 8080, "u", "p@w:d"}, Row{"[::1]:3128", "[::1]", 3128, "", ""});
    const auto proxy = Proxy::parse(row.text);
    INFO(row.text);
    REQUIRE(proxy);
    CHECK(proxy->host == row.host);
    CHECK(proxy->port == row.port);
    CHECK(proxy->user == row.user);
    CHECK(proxy->password == row.password);
}

TEST_CASE("a proxy that cannot be meant is refused without repeating its password") {
    const std::string text = GENERATE("http://u:hunter2@proxy", "hunter2@proxy", "u:hunter2@proxy:port",
                                      "u:hunter2@proxy:0", "u:hunter2@", "proxy:70000", "");
    const auto proxy = Proxy::parse(text);
    INFO(text);
    REQUIRE_FALSE(proxy);
    CHECK(proxy.error().cause == Cause::invalid);
    CHECK(proxy.error().message.find("hunter2") == std::string::npos);
}

namespace {

json values_of(const json& condition) {
    auto wire = to_wire_filters(json::array({condition}), "");
    if (!wire) return wire.error().message;
    return wire->tree["conditions"][0]["values"];
}

}  // namespace

TEST_CASE("a condition's values reach the site as the official client would send them") {
    CHECK(values_of({"code", "is", "a"}) == json::parse(R"(["a"])"));
    CHECK(values_of({"code", "is", nullptr}) == json::parse("[null]"));
    CHECK(values_of({"code", "in", "a", "b"}) == json::parse(R"(["a","b"])"));
    CHECK(values_of(json::parse(R"(["code", "in", ["a", "b"]])")) == json::parse(R"(["a","b"])"));
    CHECK(values_of({"id", "between", 1, 5}) == json::parse("[1,5]"));
    CHECK(values_of(json::parse(R"(["id", "between", [1, 5]])")) == json::parse("[1,5]"));
    CHECK(values_of({"due_date", "in_last", 2, "DAY"}) == json::parse(R"([2,"DAY"])"));
    CHECK(values_of(json::parse(R"(["due_date", "in_last", [2, "DAY"]])")) == json::parse(R"([2,"DAY"])"));
    CHECK(values_of(json::parse(R"(["f", "is", [1]])")) == json::parse("[1]"));
}

TEST_CASE("entities in a filter are reduced to what says which one is meant") {
    const auto shot = json::parse(R"({"type": "Shot", "id": 1, "code": "z", "name": "n"})");
    const auto small = json::parse(R"([{"type": "Shot", "id": 1, "name": "n"}])");
    CHECK(values_of({"x", "is", shot}) == small);
    CHECK(values_of({"x", "is_not", shot}) == small);
    CHECK(values_of({"x", "in", json::array({shot})}) == small);
    CHECK(values_of({"x", "not_in", json::array({shot})}) == small);
    CHECK(values_of({"id", "is", shot}) == json::array({shot}));
    CHECK(values_of({"x", "contains", shot}) == json::array({shot}));
    CHECK(values_of({"x", "is", json{{"id", 1}, {"code", "z"}}}) == json::parse(R"([{"id":1,"code":"z"}])"));
}

TEST_CASE("groups nest, and their operators are the site's") {
    const auto wire = to_wire_filters(json::parse(R"([
        ["sg_status_list", "in", ["ip", "rev"]],
        ["entity.Shot.code", "starts_with", "sh0"],
        {"filter_operator": "any", "filters": [
            ["due_date", "in_next", 2, "WEEK"],
            ["due_date", "is", null]]}])"),
                                      "");
    REQUIRE(wire);
    CHECK(wire->tree == json::parse(R"({"logical_operator": "and",
        "conditions": [
          {"path": "sg_status_list", "relation": "in", "values": ["ip", "rev"]},
          {"path": "entity.Shot.code", "relation": "starts_with", "values": ["sh0"]},
          {"logical_operator": "or", "conditions": [
            {"path": "due_date", "relation": "in_next", "values": [2, "WEEK"]},
            {"path": "due_date", "relation": "is", "values": [null]}]}]})"));
    CHECK(to_wire_filters(json::array(), "any")->tree ==
          json::parse(R"({"logical_operator": "or", "conditions": []})"));
    CHECK(to_wire_filters(json::array(), "")->tree ==
          json::parse(R"({"logical_operator": "and", "conditions": []})"));
}

TEST_CASE("filters in the site's own form pass as they are") {
    const auto own = json::parse(R"({"logical_operator": "or", "conditions": [
        {"path": "x", "relation": "is", "values": [{"type": "Shot", "id": 1, "code": "z"}]}]})");
    CHECK(to_wire_filters(own, "")->tree == own);
    CHECK(to_wire_filters(own, "any").error().cause == Cause::invalid);
}

TEST_CASE("an empty in matches nothing and an empty not_in everything, in any group") {
    const auto outcome = [](const char* filters) {
        const auto wire = to_wire_filters(json::parse(filters), "");
        REQUIRE(wire);
        return wire->matches_nothing ? json("nothing") : wire->tree["conditions"];
    };
    const auto a = json::parse(R"([{"path": "a", "relation": "is", "values": [1]}])");
    CHECK(outcome(R"([["code", "in", []]])") == "nothing");
    CHECK(outcome(R"([["a", "is", 1], ["id", "in", []]])") == "nothing");
    CHECK(outcome(R"([["code", "not_in", []]])") == json::array());
    CHECK(outcome(R"([["a", "is", 1], ["code", "not_in", []]])") == a);
    CHECK(outcome(R"([["a", "is", 1], {"filter_operator": "any", "filters": [["b", "in", []]]}])") ==
          "nothing");
    CHECK(
        outcome(
            R"([["a", "is", 1], {"filter_operator": "any", "filters": [["b", "is", 1], ["b", "not_in", []]]}])") ==
        a);
    const auto any = json::parse(
        R"([{"logical_operator": "or", "conditions": [{"path": "a", "relation": "is", "values": [1]}]}])");
    CHECK(outcome(R"([{"filter_operator": "any", "filters": [["a", "is", 1], ["b", "in", []]]}])") == any);
}

TEST_CASE("a filter that makes no sense is refused here, and the place is named") {
    struct Row {
        const char *filters, *op, *part;
    };
    const auto row = GENERATE(
        Row{R"([["code", "is"]])", "", "filters[0]"}, Row{R"([["code", "is", []]])", "", "filters[0]"},
        Row{R"([["a", "is", 1], ["code"]])", "", "filters[1]"}, Row{R"([[1, "is", 2]])", "", "filters[0]"},
        Row{R"("code is a")", "", "filters"}, Row{R"([7])", "", "filters[0]"},
        Row{R"([{"filters": []}])", "", "filters[0]"},
        Row{R"([{"filter_operator": "none", "filters": []}])", "", "filter_operator"},
        Row{R"([{"filter_operator": "any", "filters": [["x"]]}])", "", "filters[0][0]"},
        Row{"[]", "xor", "filter_operator"});
    const auto wire = to_wire_filters(json::parse(row.filters), row.op);
    INFO(row.filters);
    REQUIRE_FALSE(wire);
    CHECK(wire.error().cause == Cause::invalid);
    CHECK(wire.error().message.find(row.part) != std::string::npos);
}

TEST_CASE("filters nested as deeply as a site takes them pass, deeper ones are refused") {
    const auto nested = [](int groups) {
        json tree = json::array({json::array({"a", "is", 1})});
        for (int i = 1; i < groups; ++i)
            tree = json::array({json{{"filter_operator", "all"}, {"filters", std::move(tree)}}});
        return tree;
    };
    const auto wire = to_wire_filters(nested(265), "");
    REQUIRE(wire);
    CHECK(write_json(wire->tree));
    CHECK(to_wire_filters(nested(1000), "").error().cause == Cause::invalid);
}

TEST_CASE("what JSON cannot say is refused before it is sent") {
    CHECK(write_json(json{{"x", std::numeric_limits<double>::quiet_NaN()}}).error().cause == Cause::invalid);
    CHECK(write_json(json::array({-std::numeric_limits<double>::infinity()})).error().cause ==
          Cause::invalid);
    CHECK(write_json("caf\xe9").error().cause == Cause::invalid);
    CHECK(*write_json("caf\xc3\xa9") == "\"caf\xc3\xa9\"");
}

TEST_CASE("a document that would overflow the stack is refused, as deep as it may be") {
    const std::string deep(100'000, '[');
    CHECK(read_json(deep + std::string(100'000, ']')).error().cause == Cause::bad_answer);
    CHECK(read_json(deep).error().cause == Cause::bad_answer);
    const auto nested = [](std::size_t lists) {
        return std::string(lists, '[') + "1" + std::string(lists, ']');
    };
    CHECK(read_json(nested(max_depth)));
    CHECK(write_json(*read_json(nested(max_depth))));
    CHECK(read_json(nested(max_depth + 1)).error().cause == Cause::bad_answer);
    CHECK(read_json(json(deep + R"(\"[)").dump()));  // brackets in a text open nothing
    CHECK(write_json(json::parse(nested(max_depth + 1))).error().cause == Cause::invalid);
    CHECK(read_json(R"({"a": [1, 2, {"b": null}]})"));
    CHECK(read_json("{\"a\": \"caf\xe9\"}").error().cause == Cause::bad_answer);
    CHECK(read_json(R"({"a": 1)").error().cause == Cause::bad_answer);
    CHECK(read_json("9223372036854775807")->get<std::int64_t>() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a secret is struck out however it is spelled") {
    Secrets secrets;
    secrets.add("p\"w%#:\xc3\xa9 x");
    secrets.add("");
    CHECK(secrets.strike("nothing here") == "nothing here");
    CHECK(secrets.strike("raw p\"w%#:\xc3\xa9 x!") == "raw ***!");
    CHECK(secrets.strike(R"(json p\"w%#:)"
                         "\xc3\xa9 x!") == "json ***!");
    CHECK(secrets.strike(R"(json p\"w%#:\u00e9 x!)") == "json ***!");
    CHECK(secrets.strike("url p%22w%25%23%3A%C3%A9%20x!") == "url ***!");
}

TEST_CASE("text of any origin becomes one line of UTF-8") {
    CHECK(printable("a\nb", 10) == "a\\nb");
    CHECK(printable("caf\xe9", 10) == "caf\xef\xbf\xbd");
    CHECK(printable(std::string(100, 'x'), 10) == "xxxxxxxxxx \xe2\x80\xa6");
}

}  // namespace pure_test
