#pragma once
// All that a plugin includes.
//
//     #include <sg/plugin.hpp>
//
//     static void on_status(const sg::Event& event, sg::Context& context) {
//         if (event.new_value() != "rev") return;
//         context.logger().info("Ready for review. version={}", event.entity().name);
//     }
//
//     SG_PLUGIN(registrar) { registrar.on("Shotgun_Version_Change", "sg_status_list", on_status); }

#include <sg/abi.hpp>
#include <sg/async.hpp>
#include <sg/callback.hpp>
#include <sg/context.hpp>
#include <sg/error.hpp>
#include <sg/event.hpp>
#include <sg/event_filter.hpp>
#include <sg/event_traits.hpp>
#include <sg/logger.hpp>
#include <sg/registrar.hpp>
#include <sg/retriever.hpp>
#include <sg/site.hpp>
#include <sg/site_as.hpp>
#include <sg/tasks.hpp>
#include <sg/types.hpp>

/// Opens the function that the daemon calls when it loads the plugin, with a `sg::Registrar&` of
/// the given name. Once in a plugin, outside any namespace. What it throws refuses the plugin with
/// that text. Nothing but this function is called before the first event: constructors of global
/// objects run earlier still, and must not fail.
#define SG_PLUGIN(registrar)                                                                             \
    SG_DETAIL_EMIT_NOTE();                                                                               \
    static void sg_plugin_register(::sg::Registrar& registrar);                                          \
    extern "C" __attribute__((visibility("default"))) void sg_plugin_entry(::sg::Registrar& registrar) { \
        sg_plugin_register(registrar);                                                                   \
    }                                                                                                    \
    static void sg_plugin_register(::sg::Registrar& registrar)
