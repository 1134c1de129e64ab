// Mails as a real server gets them.

#include "alerts/mail.hpp"

#include "catch.hpp"
#include "mail_server.hpp"

namespace mail_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using alerts::MailSettings;
using alerts::Tls;

namespace {

const alerts::Origin origin{"1.2.3", "host7", "https://studio.example.com"};

MailSettings settings_for(int port, Tls tls = Tls::none) {
    MailSettings settings;
    settings.server = "127.0.0.1";
    settings.port = port;
    settings.tls = tls;
    settings.from = "sgeventd@studio.example";
    settings.subject = "[SG]";
    return settings;
}

alerts::Message message_of(std::string text, std::vector<std::string> to = {"td@studio.example"}) {
    alerts::Message message;
    message.to = std::move(to);
    message.alerts.push_back({std::chrono::sys_days{std::chrono::year{2026} / 3 / 4}, LogLevel::error,
                              "plugin.review", "review", "", std::move(text)});
    return message;
}

Result<void> send(const MailSettings& settings, const alerts::Message& message) {
    return alerts::make_mail_sender(settings, origin)->send(message, {});
}

std::string why(const Result<void>& result) { return result ? "" : result.error().message; }

}  // namespace

TEST_CASE("a mail says who speaks, of what, and when") {
    const MailServer server;
    auto message = message_of("[CALL-SKIPPED] Callback failed.", {"sup@studio.example", "td@studio.example"});
    message.alerts.front().code = "CALL-SKIPPED";
    message.held = 3;
    message.held_back["[DEAD-LETTER] of review"] = 3;
    const auto sent = send(settings_for(server.port()), message);
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    const auto mail = server.mails().front();
    CHECK(mail["from"] == "sgeventd@studio.example");
    CHECK(mail["to"] == nlohmann::json{"sup@studio.example", "td@studio.example"});
    CHECK(mail["tls"] == false);
    const auto& headers = mail["headers"];
    CHECK(headers["Subject"] == "[SG] ERROR: sgeventd on host7: [CALL-SKIPPED] of review, and 3 more");
    CHECK(headers["From"] == "sgeventd@studio.example");
    CHECK(headers["To"] == "sup@studio.example, td@studio.example");
    CHECK(headers["Auto-Submitted"] == "auto-generated");
    CHECK(headers.contains("Date"));
    CHECK(headers.contains("Message-ID"));
    CHECK(mail["body"] ==
          "sgeventd 1.2.3 on host7 for https://studio.example.com\n"
          "\n2026-03-04T00:00:00Z ERROR plugin.review\n[CALL-SKIPPED] Callback failed.\n"
          "\n3 more were held back, and stand in the log:\n  3 [DEAD-LETTER] of review\n");
}

TEST_CASE(
    "C133 text with other alphabets, long lines and what looks like a header arrives intact and adds no "
    "header") {
    const MailServer server;
    std::string longest;
    for (int i = 0; i < 3000; ++i) longest += "0123456789";
    const std::string text =
        "映画 schlüssel ✓ =3D\nBcc: victim@elsewhere.example\n\n.\nQUIT\n" + longest + "\n  end";
    auto settings = settings_for(server.port());
    settings.subject = "[Zürich]";
    auto message = message_of(text);
    message.alerts.front().plugin = "r\xc3\xa9view\nBcc: victim@elsewhere.example";
    const auto sent = send(settings, message);
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    const auto mail = server.mails().front();
    CHECK(mail["to"] == nlohmann::json{"td@studio.example"});
    const auto body = mail["body"].get<std::string>();
    CHECK(body.find("\n" + text + "\n") != std::string::npos);
    CHECK(mail["longest_line"].get<int>() <= 998);
    CHECK(mail["header_names"].dump().find("Bcc") == std::string::npos);
    const auto subject = mail["headers"]["Subject"].get<std::string>();
    CHECK(subject.find("[Zürich] ERROR: sgeventd on host7: plugin.review of réview") == 0);
}

TEST_CASE("many recipients, and one whom the server does not know, keep no mail from the others") {
    const MailServer server;
    std::vector<std::string> to;
    for (int i = 10; i < 60; ++i)
        to.push_back("person" + std::to_string(i) + "@a-rather-long-name.studio.example");
    to.push_back("unknown@studio.example");
    const auto sent = send(settings_for(server.port()), message_of("text", to));
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    const auto mail = server.mails().front();
    CHECK(mail["to"].size() == 50);
    CHECK(mail["longest_line"].get<int>() <= 998);
    const auto shown = mail["headers"]["To"].get<std::string>();
    for (const auto& address : to) CHECK(shown.find(address) != std::string::npos);
}

TEST_CASE("C135 mail goes over TLS without a login, asked for after the greeting or from the first byte") {
    const bool implicit = GENERATE(false, true);
    const MailServer server({"--tls", implicit ? "implicit" : "starttls"});
    auto settings = settings_for(server.port(), implicit ? Tls::implicit : Tls::starttls);
    settings.ca_file = server.ca_file();
    const auto sent = send(settings, message_of("over TLS"));
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    CHECK(server.mails().front()["tls"] == true);
    CHECK(server.mails().front()["login"].is_null());
}

TEST_CASE("C135 a login over TLS is made, and a wrong password is said to be one without being said") {
    const MailServer server({"--tls", "starttls", "--user", "robot", "--password", "geheim ✓"});
    auto settings = settings_for(server.port(), Tls::starttls);
    settings.ca_file = server.ca_file();
    settings.user = "robot";
    settings.password = "not-the-password";
    const auto refused = send(settings, message_of("text"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == Cause::authentication);
    CHECK(why(refused).find("not-the-password") == std::string::npos);
    settings.password = "geheim ✓";
    const auto sent = send(settings, message_of("text"));
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    CHECK(server.mails().front()["login"] == "robot");
    CHECK(server.mails().front()["tls"] == true);
}

TEST_CASE("C135 a login without TLS is refused before anything is sent, unless it is allowed") {
    const MailServer server({"--user", "robot", "--password", "geheim"});
    auto settings = settings_for(server.port());
    settings.user = "robot";
    settings.password = "geheim";
    const auto refused = send(settings, message_of("text"));
    REQUIRE_FALSE(refused);
    CHECK(why(refused).find("not allowed") != std::string::npos);
    CHECK(server.mails().empty());
    settings.allow_plain_login = true;
    const auto sent = send(settings, message_of("text"));
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.wait_for_mails(1));
    CHECK(server.mails().front()["login"] == "robot");
}

TEST_CASE(
    "C135 a server whose certificate is not trusted, names another host, or that offers no TLS gets no "
    "mail") {
    const MailServer server({"--tls", "starttls"}), other({"--tls", "starttls"}), plain;
    auto settings = settings_for(server.port(), Tls::starttls);
    SECTION("nobody vouches for it") {}
    SECTION("somebody vouches for another") { settings.ca_file = other.ca_file(); }
    SECTION("it is called otherwise") {
        settings.ca_file = server.ca_file();
        settings.server = "localhost";
    }
    SECTION("no TLS") { settings.port = plain.port(); }
    const auto refused = send(settings, message_of("text"));
    REQUIRE_FALSE(refused);
    INFO(why(refused));
    CHECK((refused.error().cause == Cause::bad_answer || refused.error().cause == Cause::network));
    CHECK(server.mails().empty());
    CHECK(plain.mails().empty());
}

TEST_CASE("a server that accepts and hangs costs the time limit, and a stop ends the wait at once") {
    const SilentServer server;
    auto settings = settings_for(server.port());
    settings.timeout = 200ms;
    const auto late = send(settings, message_of("text"));
    REQUIRE_FALSE(late);
    CHECK(late.error().cause == Cause::timed_out);
    const SilentServer silent;
    settings.port = silent.port();
    settings.timeout = 1h;
    const auto sender = alerts::make_mail_sender(settings, origin);
    std::stop_source stop;
    std::jthread stopper([&] {
        wait_for([&] { return silent.was_called(); });
        stop.request_stop();
    });
    const auto begun = std::chrono::steady_clock::now();
    const auto stopped = sender->send(message_of("text"), stop.get_token());
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().cause == Cause::stopped);
    CHECK(std::chrono::steady_clock::now() - begun < 60s);  // libcurl by itself would wait for two minutes
}

TEST_CASE(
    "a header's text is left alone where it can be, and else encoded in words that end between characters") {
    CHECK(alerts::header_text("[SG] ERROR: plain") == "[SG] ERROR: plain");
    CHECK(alerts::header_text("é") == "=?utf-8?B?w6k=?=");
    CHECK(alerts::header_text("=?utf-8?B?w6k=?=").find("=?utf-8?B?w6k=?=") == std::string::npos);
    std::string text;
    for (int i = 0; i < 40; ++i) text += "✓";
    const auto encoded = alerts::header_text(text);
    for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 3) {
        end = encoded.find("\r\n ", at);
        CHECK(encoded.substr(at, end - at).size() <= 75);
    }
}

}  // namespace mail_test
