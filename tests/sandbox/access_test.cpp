// Who may do what, and how somebody is told no.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace access_test {

using namespace sg;
using namespace sg::test;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }

struct Studio {
    Studio() {
        project = site.add("Project", {{"name", "Aurora"}});
        person = site.add_person("Rhea Voss", "rhea", "pass");
    }
    Json ask(const Json& auth, const std::string& method = "read",
             const Json& params = {{"type", "Project"}}) {
        const auto body = client.call(method, params, auth).json();
        return body.contains("results") ? body["results"] : body;
    }
    int code(const Json& auth, const std::string& method = "read",
             const Json& params = {{"type", "Project"}}) {
        const auto got = ask(auth, method, params);
        return got.is_object() && got.contains("error_code") ? got["error_code"].get<int>() : 0;
    }
    sandbox::Site site;
    RawClient client{site.url()};
    std::int64_t project = 0, person = 0;
    Json rhea{{"user_login", "rhea"}, {"user_password", "pass"}};
    Json script{{"script_name", "sandbox"}, {"script_key", "sandbox-key"}};
};

}  // namespace

TEST_CASE("a session token stands for whoever asked for it, until it expires") {
    Studio s;
    const auto token = s.ask(s.rhea, "get_session_token", Json::object())["session_id"];
    CHECK(token.get<std::string>().size() == 32);
    CHECK(s.ask(s.rhea, "get_session_token", Json::object())["session_id"] == token);
    const Json session{{"session_token", token}, {"reject_if_expired", true}};
    s.ask(
        session, "create",
        {{"type", "Shot"}, {"fields", {{{"field_name", "project"}, {"value", link("Project", s.project)}}}}});
    CHECK(s.client.rows("EventLogEntry", {}, {"user"})[0]["user"] ==
          Json{{"type", "HumanUser"}, {"id", s.person}, {"name", "Rhea Voss"}});
    s.site.expire_sessions();
    CHECK(s.code(session) == 102);
    CHECK(s.ask(s.rhea, "get_session_token", Json::object())["session_id"] != token);
}

TEST_CASE("a person with a second factor needs its code, once") {
    Studio s;
    s.site.require_code("rhea", "492817");
    CHECK(s.code(s.rhea) == 106);
    auto with_code = s.rhea;
    with_code["auth_token"] = "492817";
    CHECK(s.code(with_code) == 0);
    CHECK(s.code(with_code) == 106);
}

TEST_CASE("a site with single sign-on refuses passwords, not scripts") {
    Studio s;
    for (const int fault : {108, 110}) {
        s.site.refuse_passwords(fault);
        const auto info = s.client.post("/api3/json", R"({"method_name":"info","params":[]})").json();
        CHECK(info["user_authentication_method"] == (fault == 108 ? "saml2" : "oxygen"));
        CHECK(s.code(s.rhea) == fault);
        CHECK(s.code(s.script) == 0);
    }
}

TEST_CASE("sudo is refused for who is unknown, inactive or not to be impersonated, and to people") {
    Studio s;
    const auto sudo = [&](const std::string& login) {
        auto auth = s.script;
        auth["sudo_as_login"] = login;
        const auto got = s.ask(auth);
        return got.contains("message") ? got["message"].get<std::string>() : "";
    };
    CHECK(sudo("rhea").empty());
    CHECK(sudo("x") == "Cannot 'sudo' - unknown or retired user: 'x'");
    s.site.update({}, "HumanUser", s.person, {{"can_impersonate_this_user", false}});
    CHECK(sudo("rhea") == "Cannot 'sudo' - user account has 'can_impersonate_this_user' turned off: 'rhea'");
    s.site.update({}, "HumanUser", s.person, {{"sg_status_list", "dis"}});
    CHECK(sudo("rhea") == "Cannot 'sudo' - inactive user account: 'rhea'");
    CHECK(s.code(s.rhea) == 102);
    s.site.add_person("Ravi", "ravi", "p");
    CHECK(s.code({{"user_login", "ravi"}, {"user_password", "p"}, {"sudo_as_login", "ravi"}}) == 104);
}

TEST_CASE("a password that was written lets its owner in, and reads as stars") {
    Studio s;
    s.ask(s.script, "update",
          {{"type", "HumanUser"},
           {"id", s.person},
           {"fields", {{{"field_name", "password_proxy"}, {"value", "new-secret"}}}}});
    CHECK(s.code({{"user_login", "rhea"}, {"user_password", "new-secret"}}) == 0);
    const auto body =
        s.client.call("read", {{"type", "HumanUser"}, {"return_fields", {"password_proxy"}}}).body;
    CHECK(body.find("*******") != std::string::npos);
    CHECK(body.find("new-secret") == std::string::npos);
    CHECK(s.client.call("read", {{"type", "EventLogEntry"}, {"return_fields", {"meta"}}})
              .body.find("new-secret") == std::string::npos);
}

TEST_CASE("a script that may not read events sees an empty log and everything else") {
    Studio s;
    s.site.add_script("blind", "k");
    s.site.set_permissions("blind", {.reads_events = false});
    s.site.add_events(3, "A_B_C");
    const Json blind{{"script_name", "blind"}, {"script_key", "k"}};
    CHECK(s.ask(blind, "read", {{"type", "EventLogEntry"}})["entities"].empty());
    CHECK(s.ask(blind, "summarize",
                {{"type", "EventLogEntry"},
                 {"summaries", {{{"field", "id"}, {"type", "count"}}}}})["summaries"]["id"] == 0);
    CHECK(s.ask(blind)["entities"].size() == 1);
    CHECK(s.ask(s.script, "read", {{"type", "EventLogEntry"}})["entities"].size() == 3);
}

TEST_CASE("a script that may not write is refused every change with the fault 104") {
    Studio s;
    s.site.add_script("reader", "k");
    s.site.set_permissions("reader", {.writes = false, .edits_schema = false});
    const Json reader{{"script_name", "reader"}, {"script_key", "k"}};
    const Json fields = {{{"field_name", "name"}, {"value", "Other"}}};
    CHECK(s.code(reader, "create", {{"type", "Project"}, {"fields", fields}}) == 104);
    CHECK(s.code(reader, "update", {{"type", "Project"}, {"id", s.project}, {"fields", fields}}) == 104);
    CHECK(s.code(reader, "delete", link("Project", s.project)) == 104);
    CHECK(s.code(reader, "revive", link("Project", s.project)) == 104);
    CHECK(s.code(reader, "batch", {{{"request_type", "delete"}, {"type", "Project"}, {"id", s.project}}}) ==
          104);
    CHECK(s.code(reader, "schema_field_create",
                 {{"type", "Shot"},
                  {"data_type", "text"},
                  {"properties", {{{"property_name", "name"}, {"value", "x"}}}}}) == 104);
    CHECK(s.code(reader) == 0);
    CHECK(s.site.event_count() == 0);
}

}  // namespace access_test
