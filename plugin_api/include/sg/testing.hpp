#pragma once
// A plugin's test without a daemon and without a site.
//
// Compile the plugin's source into the test program, beside this:
//
//     #include <sg/testing.hpp>
//
//     sg::testing::FakeSite site;
//     const auto shot = site.add("Shot", {{"code", "sh010"}, {"sg_status_list", "ip"}});
//     sg::testing::Plugin plugin(site, {{"final", "fin"}});        // runs its SG_PLUGIN
//     plugin.handle(sg::testing::change(shot, "sg_status_list", "ip", "fin"));
//     assert(site.row(shot).at("sg_status_list") == "fin");
//
// Nothing here is for use in a plugin itself, and nothing here is any test framework's.

#include <sg/testing/context.hpp>
#include <sg/testing/event.hpp>
#include <sg/testing/logger.hpp>
#include <sg/testing/plugin.hpp>
#include <sg/testing/retriever.hpp>
#include <sg/testing/site.hpp>
#include <sg/testing/tasks.hpp>
