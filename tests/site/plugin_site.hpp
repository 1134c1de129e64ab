#pragma once
// The SDK's `Site`, wired to a client of a raw server: what a plugin writes, and what leaves.

#include <map>
#include <sg/site.hpp>
#include <sg/site_as.hpp>
#include <string>

#include "fixture.hpp"
#include "site/named_calls.hpp"

namespace sg::test {

/// Arguments cross as the JSON text they are between host and daemon.
class PluginSite final : public Site {
public:
    explicit PluginSite(site::Client& client, site::CallOptions options = as("relay"))
        : client_(client), options_(std::move(options)) {}

    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        return call_with_progress(method, arguments, {});
    }
    nlohmann::json call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                      const OnProgress& progress) override {
        auto options = options_;
        options.progress = progress;
        const auto answer = site::call_site(client_, method, arguments.dump(), options);
        if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
        return nlohmann::json::parse(*answer);
    }

private:
    site::Client& client_;
    site::CallOptions options_;
};

/// A server that says it is a certain version, and answers everything else alike.
struct VersionedSite : TestSite {
    explicit VersionedSite(std::string answer, const std::string& version = "[8, 62, 0]")
        : TestSite([answer = std::move(answer), version](const RawRequest& request, RawPeer& peer) {
              peer.send(request.method() == "info" ? http(R"({"version": )" + version + "}") : answer);
          }) {}

    /// The calls that came, `info` left out.
    std::vector<RawRequest> calls() const {
        std::vector<RawRequest> out;
        for (auto& request : server.requests())
            if (request.method() != "info") out.push_back(request);
        return out;
    }
};

}  // namespace sg::test
