#pragma once
// A real mail server of a test's own, and a certificate for it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "e2e/process.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

template <auto Free>
struct FreeingSsl {
    template <class T>
    void operator()(T* it) const noexcept {
        Free(it);
    }
};

/// Writes key and certificate to `both`, and the certificate alone, for whoever is to trust it, to `ca_file`.
/// It is good for an hour on both sides of now, for 127.0.0.1.
inline void make_certificate(const std::filesystem::path& both, const std::filesystem::path& ca_file) {
    const std::unique_ptr<EVP_PKEY, FreeingSsl<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, FreeingSsl<X509_free>> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    const std::unique_ptr<X509_EXTENSION, FreeingSsl<X509_EXTENSION_free>> address(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"));
    X509_add_ext(certificate.get(), address.get(), -1);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const auto write = [&](const std::filesystem::path& file, bool with_key) {
        const std::unique_ptr<std::FILE, FreeingSsl<std::fclose>> out(std::fopen(file.c_str(), "w"));
        if (!out) throw std::runtime_error("cannot write " + file.string());
        if (with_key) PEM_write_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        PEM_write_X509(out.get(), certificate.get());
    };
    write(both, true);
    write(ca_file, false);
}

/// aiosmtpd. Ends with the object.
class MailServer {
public:
    /// `options` as smtp_server.py has them; where TLS is among them, `ca_file()` vouches for it.
    explicit MailServer(std::vector<std::string> options = {}) {
        make_certificate(dir_ / "both.pem", ca_file());
        std::vector<std::string> command{"/usr/bin/python3", SG_SMTP_SERVER, dir_.path().string(),
                                         "--certificate", (dir_ / "both.pem").string()};
        command.insert(command.end(), options.begin(), options.end());
        process_ =
            std::make_unique<Process>(command, std::vector<std::string>{}, dir_ / "said", dir_ / "said");
        if (!wait_for([&] { return std::filesystem::exists(dir_ / "port"); }))
            throw std::runtime_error("the mail server does not start: " + read_file(dir_ / "said"));
        port_ = std::stoi(read_file(dir_ / "port"));
    }

    int port() const { return port_; }
    std::filesystem::path ca_file() const { return dir_ / "ca.pem"; }

    std::vector<nlohmann::json> mails() const {
        std::vector<nlohmann::json> out;
        std::istringstream lines(read_file(dir_ / "mails"));
        for (std::string line; std::getline(lines, line) && !lines.eof();)
            out.push_back(nlohmann::json::parse(line));
        return out;
    }
    bool wait_for_mails(std::size_t count) const {
        return wait_for([&] { return mails().size() >= count; });
    }

private:
    TempDir dir_;
    int port_ = 0;
    std::unique_ptr<Process> process_;
};

/// Takes connections and says nothing.
class SilentServer {
public:
    SilentServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
            ::getsockname(listener_.get(), generic, &size) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
    }
    int port() const { return port_; }
    /// A connection came, and waits in the system's queue.
    bool was_called() const {
        pollfd poll{listener_.get(), POLLIN, 0};
        return ::poll(&poll, 1, 0) == 1;
    }

private:
    UniqueFd listener_;
    int port_ = 0;
};

}  // namespace sg::test
