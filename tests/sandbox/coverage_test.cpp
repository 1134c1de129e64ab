// docs/site-coverage.md says what the sandbox answers; here it is asked.
#include <fstream>
#include <set>

#include "catch.hpp"
#include "samples.hpp"
#include "sandbox/methods.hpp"
#include "sandbox/relations.hpp"

namespace coverage_test {

using namespace sg;
using namespace sg::test;

namespace {

/// The rows of the table below a heading: the first and the last cell of each.
std::map<std::string, std::string> rows_below(const std::string& heading) {
    std::ifstream page(SG_DOCS "/site-coverage.md");
    REQUIRE(page);
    std::map<std::string, std::string> out;
    bool here = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) here = line == "## " + heading;
        if (!here || !line.starts_with("| `")) continue;
        const auto name = line.substr(3, line.find('`', 3) - 3);
        const auto end = line.rfind(" |"), begin = line.rfind("| ", end - 1) + 2;
        out[name] = line.substr(begin, end - begin);
    }
    return out;
}

/// The RPC method behind a public one, where the name is another; empty where there is none.
std::string rpc_name(const std::string& method) {
    static const std::map<std::string, std::string> others{
        {"find", "read"},
        {"find_one", "read"},
        {"authenticate_human_user", "read"},
        {"text_search", "query_display_name_cache"},
        {"nav_search_string", "nav_search"},
        {"nav_search_entity", "nav_search"},
        {"activity_stream_read", "activity_stream"},
        {"note_thread_read", "note_thread_contents"},
        {"update_project_last_accessed", "update_project_last_accessed_by_current_user"},
    };
    const auto found = others.find(method);
    return found == others.end() ? method : found->second;
}

/// Those that are no call of the JSON API, or none at all: what the page says of them is not judged here.
const std::set<std::string> no_rpc{"upload",
                                   "upload_thumbnail",
                                   "upload_filmstrip_thumbnail",
                                   "share_thumbnail",
                                   "download_attachment",
                                   "get_attachment_download_url",
                                   "get_auth_cookie_handler",
                                   "connect",
                                   "close",
                                   "add_user_agent",
                                   "reset_user_agent",
                                   "set_session_uuid",
                                   "schema",
                                   "entity_types"};

}  // namespace

TEST_CASE("the page tells truly which methods the sandbox answers") {
    sandbox::Site site;
    RawClient client(site.url());
    const auto rows = rows_below("Methods");
    REQUIRE(rows.size() > 30);
    std::set<std::string> named{"info"};
    for (const auto& [method, says] : rows) {
        if (no_rpc.contains(method)) continue;
        INFO(method << ": " << says);
        const auto body = client.call(rpc_name(method), Json::object()).json();
        const bool unknown = body.contains("message") && body["message"].get<std::string>().ends_with(
                                                             "the sandbox doesn't know this method.");
        CHECK(unknown == says.starts_with("no: "));
        CHECK((says == "yes" || says.starts_with("no: ")));
        named.insert(rpc_name(method));
    }
    for (const auto& [method, answer] : sandbox::methods()) {
        INFO(method);
        CHECK(named.contains(method));
    }
}

TEST_CASE("the page tells truly which relations and data types the sandbox knows") {
    std::map<std::string, std::set<std::string>> types_of;
    for (const auto type : sandbox::data_types())
        for (const auto& relation : sandbox::relations_of(type))
            types_of[relation].insert(std::string(sandbox::name_of(type)));
    const auto page = rows_below("Relations");
    CHECK(page.size() == relations.size());
    for (const auto& relation : relations) {
        INFO(relation);
        REQUIRE(page.contains(relation));
        CHECK((page.at(relation) == "yes") == types_of.contains(relation));
    }
    const auto types = rows_below("Data types");
    CHECK(types.size() == sandbox::data_types().size());
    const auto pairs = rows_below("Relations of each data type, in the sandbox");
    for (const auto type : sandbox::data_types()) {
        const std::string name(sandbox::name_of(type));
        INFO(name);
        REQUIRE(types.contains(name));
        CHECK(types.at(name) == "yes");
        std::string words;
        for (const auto& relation : sandbox::relations_of(type))
            words += (words.empty() ? "`" : " `") + relation + "`";
        REQUIRE(pairs.contains(name));
        CHECK((words.empty() ? pairs.at(name).starts_with("none: ") : pairs.at(name) == words));
    }
}

}  // namespace coverage_test
