#include "service/plugin_connection.hpp"

#include <future>

#include "service/write_intercept.hpp"
#include "site/endpoint.hpp"

namespace sg::service {
namespace {

using nlohmann::json;
using retriever::SiteConnection;

class PluginConnection final : public SiteConnection {
public:
    PluginConnection(std::shared_ptr<const PluginAccess> access, std::string plugin, Credential who)
        : access_(std::move(access)), plugin_(std::move(plugin)), who_(std::move(who)) {}

    std::unique_ptr<SiteConnection> clone() const override {
        return std::make_unique<PluginConnection>(access_, plugin_, who_);
    }
    std::string url() const override { return site::origin_of(access_->site_url); }

    Result<json> call(std::string_view method, const json& args, const json& kwargs,
                      std::stop_token stop) override {
        auto by_plugin = kwargs;
        auto origin = json::object();
        if (const auto found = by_plugin.find(call_origin_key); found != by_plugin.end()) {
            origin = std::move(*found);
            by_plugin.erase(found);
        }
        const bool is_write = method != "find_one" && !changes_nothing(method);
        if (access_->writes != nullptr && is_write)
            return told(method, args, by_plugin, origin, std::move(stop));
        auto connection = connect(origin.value("session_uuid", std::string()), stop);
        if (!connection) return tl::unexpected(std::move(connection.error()));
        auto answer = (*connection)->call(method, args, by_plugin, std::move(stop));
        if (!answer)
            access_->log.debug(
                "[DATA-CALL-FAILED] A request of the data retriever failed. plugin={} method={} "
                "cause=\"{}\" why=\"{}\"",
                plugin_, method, to_string(answer.error().cause), answer.error().message);
        return answer;
    }

    Result<retriever::Fetched> download(const std::string& url, const std::filesystem::path& to,
                                        std::stop_token stop) override {
        auto connection = connect({}, stop);
        if (!connection) return tl::unexpected(std::move(connection.error()));
        return (*connection)->download(url, to, std::move(stop));
    }

private:
    host::SiteRequest request() const {
        host::SiteRequest request;
        request.plugin = plugin_;
        request.credential = who_;
        return request;
    }

    Result<std::unique_ptr<SiteConnection>> connect(std::string session_uuid, std::stop_token stop) const {
        auto caller = access_->credentials.resolve(request());
        if (!caller) return tl::unexpected(std::move(caller.error()));
        site::CallOptions options;
        options.stop = std::move(stop);
        options.credential = std::move(caller->credential);
        auto credential = access_->client.logged_in(options);
        if (!credential) return tl::unexpected(std::move(credential.error()));
        options.credential = std::move(*credential);
        options.sudo_as_login = std::move(caller->sudo_as_login);
        if (access_->pass_session_uuid) options.session_uuid = std::move(session_uuid);
        return retriever::make_connection(access_->client, access_->site_url, std::move(options));
    }

    /// In a dry run: who is shown writes answers them.
    Result<json> told(std::string_view method, const json& args, const json& kwargs, const json& origin,
                      std::stop_token stop) const {
        auto named = retriever::by_name(method, args, kwargs);
        if (!named) return named;
        auto write = request();
        write.method = method;
        write.arguments = named->dump(-1, ' ', false, json::error_handler_t::replace);
        write.callback = origin.value("callback", std::string());
        write.event = origin.value("event", EventId{0});
        write.session_uuid = origin.value("session_uuid", std::string());
        std::promise<host::SiteAnswer> answered;
        access_->writes->start(std::move(write), std::move(stop),
                               [&](host::SiteAnswer answer) { answered.set_value(std::move(answer)); });
        const auto answer = answered.get_future().get();
        if (!answer) return tl::unexpected(answer.error());
        auto value = json::parse(*answer, nullptr, false);
        if (value.is_discarded()) return fail(Cause::bad_answer, "the site's answer is not JSON");
        return value;
    }

    const std::shared_ptr<const PluginAccess> access_;
    const std::string plugin_;
    const Credential who_;
};

}  // namespace

json call_origin(const host::DataRequest& request) {
    return {{"callback", request.callback}, {"event", request.event}, {"session_uuid", request.session_uuid}};
}

std::unique_ptr<SiteConnection> make_plugin_connection(std::shared_ptr<const PluginAccess> access,
                                                       std::string plugin, Credential who) {
    return std::make_unique<PluginConnection>(std::move(access), std::move(plugin), std::move(who));
}

}  // namespace sg::service
