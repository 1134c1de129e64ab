#pragma once
// The site in somebody's name.

#include <nlohmann/json.hpp>
#include <sg/error.hpp>
#include <sg/site.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace sg {

/// The same site in a person's name: their permissions count, and events name them. The credential must be
/// allowed to do that.
///
///     sg::SiteAs rhea(context.site(), "rhea");
///     rhea.update(task, {{"sg_status_list", "fin"}});
///
/// Lifetime: `site` outlives it.
class SiteAs final : public Site {
public:
    SiteAs(Site& site, std::string login) : site_(site), login_(std::move(login)) {
        if (login_.empty()) throw Error(Cause::invalid, "nobody's login is empty");
    }

    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        return site_.call(method, with_login(arguments));
    }
    nlohmann::json call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                      const OnProgress& progress) override {
        return site_.call_with_progress(method, with_login(arguments), progress);
    }

private:
    nlohmann::json with_login(nlohmann::json arguments) const {
        arguments["sudo_as_login"] = login_;
        return arguments;
    }

    Site& site_;
    std::string login_;
};

}  // namespace sg
