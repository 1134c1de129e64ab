// Who calls: what each kind of credential sends, and what is no credential.

#include "catch.hpp"
#include "plugin_site.hpp"

namespace credential_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

site::CallOptions with(site::Credential credential) {
    site::CallOptions options;
    options.credential = std::move(credential);
    return options;
}

}  // namespace

TEST_CASE("each kind of credential sends the keys the protocol shows") {
    struct Row {
        site::Credential credential;
        const char *version, *auth;
    };
    const auto row = GENERATE(
        Row{site::Script{"event_relay", "0123abcd"}, "[8, 62, 0]",
            R"({"script_name": "event_relay", "script_key": "0123abcd"})"},
        Row{site::User{"rhea", "s3cret", ""}, "[8, 62, 0]",
            R"({"user_login": "rhea", "user_password": "s3cret"})"},
        Row{site::User{"rhea", "s3cret", "492817"}, "[8, 62, 0]",
            R"({"user_login": "rhea", "user_password": "s3cret", "auth_token": "492817"})"},
        Row{site::Session{"dd63"}, "[8, 62, 0]", R"({"session_token": "dd63", "reject_if_expired": true})"},
        Row{site::Session{"dd63"}, "[5, 4, 4]", R"({"session_token": "dd63", "reject_if_expired": true})"},
        Row{site::Session{"dd63"}, "[5, 4, 3]", R"({"session_token": "dd63"})"},
        Row{site::Session{"dd63"}, R"([6, 0, 0, "Dev"])",
            R"({"session_token": "dd63", "reject_if_expired": true})"});
    VersionedSite site(results(true), row.version);
    REQUIRE(site.client->remove("Shot", 1, with(row.credential)));
    CHECK(site.server.requests().back().auth() == json::parse(row.auth));
}

TEST_CASE("extra parameters go beside the credential, and over it") {
    VersionedSite site(results(true));
    auto options = as("event_relay", "0123abcd");
    options.extra_auth = {{"product", "relay"}, {"script_key", "other"}};
    REQUIRE(site.client->remove("Shot", 1, options));
    CHECK(site.server.requests().at(0).auth() ==
          json::parse(R"({"script_name": "event_relay", "script_key": "other", "product": "relay"})"));
    options.extra_auth = json::array({1});
    CHECK(failure_of(site.client->remove("Shot", 1, options)).cause == Cause::invalid);
    CHECK(site.server.count() == 1);
}

TEST_CASE("what an old site does not know is refused here, and the site's version asked for once") {
    VersionedSite site(results(true), "[5, 2, 9]");
    for (int i = 0; i < 2; ++i) {
        const auto failure = failure_of(site.client->remove("Shot", 1, with(site::Session{"dd63"})));
        CHECK(failure.cause == Cause::not_supported);
        CHECK(failure.message.find("it is 5.2.9, and 5.3.0 is needed") != std::string::npos);
    }
    auto sudo = as("relay");
    sudo.sudo_as_login = "rhea";
    CHECK(failure_of(site.client->remove("Shot", 1, sudo)).cause == Cause::not_supported);
    CHECK(site.server.count() == 1);
    CHECK(site.client->remove("Shot", 1, as("relay")));  // needs no version
}

TEST_CASE("a site that does not say its version is not called with a session") {
    VersionedSite site(results(true), GENERATE("[]", "null", "\"8.62\"", "[-1, 2]", "[\"8\"]"));
    CHECK(failure_of(site.client->remove("Shot", 1, with(site::Session{"dd63"}))).cause == Cause::bad_answer);
    CHECK(site.server.count() == 1);
}

TEST_CASE("credentials that are half, double or nothing are refused") {
    using Parts = site::CredentialParts;
    struct Row {
        Parts parts;
        const char* text;
    };
    const auto row = GENERATE(Row{{}, "there are no credentials"},
                              Row{{"relay", "", "", "", "", ""}, "both its name and its key"},
                              Row{{"", "key", "", "", "", ""}, "both its name and its key"},
                              Row{{"", "", "rhea", "", "", ""}, "needs a password"},
                              Row{{"", "", "", "s3cret", "", ""}, "needs a password"},
                              Row{{"", "", "", "", "492817", ""}, "needs a login"},
                              Row{{"relay", "key", "", "", "492817", ""}, "needs a login"},
                              Row{{"relay", "key", "rhea", "s3cret", "", ""}, "exclude each other"},
                              Row{{"relay", "key", "", "", "", "dd63"}, "exclude each other"},
                              Row{{"", "", "rhea", "s3cret", "", "dd63"}, "exclude each other"});
    const auto failure = failure_of(site::make_credential(row.parts));
    CHECK(failure.cause == Cause::invalid);
    CHECK(failure.message.find(row.text) != std::string::npos);
}

TEST_CASE("whole credentials are the kind they name") {
    const auto script = site::make_credential({"relay", "key", "", "", "", ""});
    REQUIRE(script);
    CHECK(std::get<site::Script>(*script).key == "key");
    const auto user = site::make_credential({"", "", "rhea", "s3cret", "492817", ""});
    REQUIRE(user);
    CHECK(std::get<site::User>(*user).auth_token == "492817");
    const auto session = site::make_credential({"", "", "", "", "", "dd63"});
    REQUIRE(session);
    CHECK(std::get<site::Session>(*session).token == "dd63");
}

TEST_CASE("a call without a credential is refused, whatever is missing") {
    VersionedSite site(results(true));
    for (const site::Credential& credential :
         {site::Credential{}, site::Credential{site::Script{"relay", ""}},
          site::Credential{site::User{"rhea", "", ""}}, site::Credential{site::Session{""}}})
        CHECK(failure_of(site.client->remove("Shot", 1, with(credential))).cause == Cause::authentication);
    CHECK(site.server.connections() == 0);
}

TEST_CASE("no message repeats a password, a code, a session token or an extra parameter") {
    const std::string said = "you said s3cret-password, 492817, dd63550a and hush-hush";
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        if (request.method() == "info") return peer.send(http(R"({"version": [8, 62, 0]})"));
        peer.send(http(json{{"exception", true}, {"message", said}, {"error_code", 102}}.dump()));
    });
    auto user = with(site::User{"rhea", "s3cret-password", "492817"});
    user.extra_auth = {{"word", "hush-hush"}};
    const auto first = failure_of(site.client->remove("Shot", 1, user)).message;
    CHECK(first.find("you said ***, ***, dd63550a and ***") != std::string::npos);
    const auto second = failure_of(site.client->remove("Shot", 1, with(site::Session{"dd63550a"}))).message;
    CHECK(second.find("492817, *** and hush-hush") != std::string::npos);
}

TEST_CASE("connections are never shared between credentials, whatever their kind") {
    VersionedSite site(results(true));
    const site::Credential all[] = {site::Script{"rhea", "x"}, site::User{"rhea", "x", ""},
                                    site::Session{"rhea"}};
    for (int round = 0; round < 2; ++round)
        for (const auto& credential : all) REQUIRE(site.client->remove("Shot", 1, with(credential)));
    std::map<std::size_t, json> owner;
    for (const auto& request : site.server.requests()) {
        if (request.method() == "info") continue;
        CHECK(owner.emplace(request.connection, request.auth()).first->second == request.auth());
    }
    CHECK(owner.size() == 3);
}

}  // namespace credential_test
