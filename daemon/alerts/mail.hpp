#pragma once
// Alerts by mail.

#include <chrono>
#include <filesystem>
#include <memory>

#include "alerts/alert.hpp"

namespace sg::alerts {

enum class Tls { starttls, implicit, none };

struct MailSettings {
    std::string server;  ///< host name or address
    int port = 587;
    Tls tls = Tls::starttls;
    std::filesystem::path ca_file;  ///< empty: the system's certificates
    std::string user;               ///< empty: no login
    std::string password;
    bool allow_plain_login = false;  ///< a login without TLS, which anybody on the way can read
    std::string from;
    std::string subject;  ///< put before each subject
    std::chrono::milliseconds timeout{30'000};
};

/// Speaks SMTP to one server. Certificates are always verified; a server that is to offer TLS and does not is
/// refused, and so is a login without TLS unless it is allowed. One recipient that the server refuses does
/// not keep the mail from the others.
std::unique_ptr<Sender> make_mail_sender(MailSettings settings, Origin origin);

/// `text` as it may stand in a header: as it is, or as RFC 2047 has it.
std::string header_text(std::string_view text);

}  // namespace sg::alerts
