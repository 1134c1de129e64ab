// Answers of the site, and what plugins make of them: what was read can be sent again.

#include <array>

#include "fuzz/fuzz.hpp"
#include "site/filters.hpp"
#include "site/json_text.hpp"
#include "site/wire.hpp"

using namespace sg;
using namespace sg::site;

namespace {

constexpr std::array statuses{200, 204, 301, 400, 401, 403, 408, 429, 500, 502, 503, 504};
constexpr std::array types{"application/json", "text/javascript; charset=utf-8", "text/html", ""};

void must_print(const Failure& failure) {
    const auto line = printable(failure.message, 300);
    SG_MUST(!line.empty() && line.find('\n') == std::string::npos);
    SG_MUST(write_json(line));
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.size() < 2) return;
    const auto first = static_cast<unsigned char>(input[0]), second = static_cast<unsigned char>(input[1]);
    HttpAnswer answer;
    answer.status = statuses[first % statuses.size()];
    answer.content_type = types[second % types.size()];
    answer.body = input.substr(2);
    if (const auto fine = check_http(answer); !fine) must_print(fine.error());

    const auto fault = check_fault(answer.body);
    const auto results = read_results(answer.body);
    if (!fault) {
        SG_MUST(!results);
        must_print(fault.error());
    }
    if (!results) return must_print(results.error());
    const auto text = write_json(*results);
    SG_MUST(text);
    const auto again = read_json(*text);
    SG_MUST(again && *again == *results);
    for (const char* mode : {"all", "any"}) {
        const auto filters = to_wire_filters(*results, mode);
        if (!filters) must_print(filters.error());
    }
    (void)trimmed(*results);
}
