// Whom the client believes.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "fixture.hpp"
#include "temp_dir.hpp"
#include "util/fd.hpp"

namespace tls_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* it) const noexcept {
        Free(it);
    }
};

/// A site on TLS, whose certificate nobody but its own file vouches for.
class TlsSite {
public:
    /// The certificate is good for an hour on both sides of now, or of `off` seconds later.
    explicit TlsSite(const std::filesystem::path& ca_file, long off = 0)
        : context_(SSL_CTX_new(TLS_server_method())) {
        make_certificate(ca_file, off);
        listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 8) != 0 ||
            ::getsockname(listener_.get(), generic, &size) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
        std::signal(SIGPIPE, SIG_IGN);  // as the daemon does: OpenSSL writes to sockets that may be gone
        thread_ = std::jthread([this] { serve(); });
    }
    ~TlsSite() {
        ending_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);
    }
    std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_); }
    int requests() const { return requests_; }

private:
    void make_certificate(const std::filesystem::path& file, long off) {
        const std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
        const std::unique_ptr<X509, Freeing<X509_free>> certificate(X509_new());
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), off - 3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), off + 3600);
        X509_set_pubkey(certificate.get(), key.get());
        auto* name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"),
                                   -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        const std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>> address(
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"));
        X509_add_ext(certificate.get(), address.get(), -1);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1 ||
            SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
            throw std::runtime_error("cannot make a certificate");
        const std::unique_ptr<std::FILE, Freeing<std::fclose>> out(std::fopen(file.c_str(), "w"));
        PEM_write_X509(out.get(), certificate.get());
    }

    void serve() {
        while (!ending_) {
            const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!fd) continue;
            const std::unique_ptr<SSL, Freeing<SSL_free>> tls(SSL_new(context_.get()));
            SSL_set_fd(tls.get(), fd.get());
            if (SSL_accept(tls.get()) != 1) continue;
            std::string request;
            char bytes[4096];
            // The body is one object, and its last bytes are what ends every call.
            while (!request.ends_with("]}")) {
                const int n = SSL_read(tls.get(), bytes, sizeof bytes);
                if (n <= 0) break;
                request.append(bytes, static_cast<std::size_t>(n));
            }
            if (!request.ends_with("]}")) continue;
            ++requests_;
            const auto answer = http(R"({"results": true})", 200, "Connection: close\r\n");
            SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
            SSL_shutdown(tls.get());
        }
    }

    std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>> context_;
    UniqueFd listener_;
    int port_ = 0;
    std::atomic<int> requests_{0};
    std::atomic<bool> ending_{false};
    std::jthread thread_;
};

}  // namespace

TEST_CASE("C96 a site is believed on the word of the configured CA file, and no key goes to any other") {
    TempDir directory;
    TlsSite tls(directory / "ca.pem");
    SystemClock clock;
    CaptureLog log;
    auto settings = quick(tls.url("127.0.0.1"));
    settings.attempts = 1;

    const auto doubtful = failure_of(make_client(settings, clock, log)->remove("Shot", 1, as("relay")));
    INFO(doubtful.message);
    CHECK(doubtful.cause == Cause::network);
    CHECK(doubtful.message.find("certificate") != std::string::npos);
    CHECK(tls.requests() == 0);

    settings.ca_file = directory / "ca.pem";
    const auto trusted = make_client(settings, clock, log)->remove("Shot", 1, as("relay"));
    INFO(failure_of(trusted).message);
    CHECK(trusted);
    CHECK(tls.requests() == 1);

    settings.base_url = tls.url("localhost");  // which the certificate does not name
    const auto other = failure_of(make_client(settings, clock, log)->remove("Shot", 1, as("relay")));
    INFO(other.message);
    CHECK(other.cause == Cause::network);
    CHECK(other.message.find("localhost") != std::string::npos);
    CHECK(other.message != doubtful.message);
    CHECK(tls.requests() == 1);
}

TEST_CASE("a certificate that has run out, or is not good yet, gets no key, whoever vouches for it") {
    const long day = 86'400;
    const auto off = GENERATE_COPY(-day, day);
    TempDir directory;
    TlsSite tls(directory / "ca.pem", off);
    SystemClock clock;
    CaptureLog log;
    auto settings = quick(tls.url("127.0.0.1"));
    settings.attempts = 1;
    settings.ca_file = directory / "ca.pem";
    const auto refused = failure_of(make_client(settings, clock, log)->remove("Shot", 1, as("relay")));
    INFO(refused.message);
    CHECK(refused.cause == Cause::network);
    CHECK(refused.message.find(off < 0 ? "expired" : "not yet valid") != std::string::npos);
    CHECK(refused.message.find("k3y-of-relay") == std::string::npos);
    CHECK(tls.requests() == 0);
}

}  // namespace tls_test
