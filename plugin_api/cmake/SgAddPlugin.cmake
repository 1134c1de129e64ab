# sg_add_plugin(<name> <source>…): the plugin `<name>.so`, built so that the daemon can load, check and replace it.
#
# The target is an ordinary MODULE library: link and configure it further as usual. It lands where
# CMAKE_LIBRARY_OUTPUT_DIRECTORY says, else in the current binary directory.
#
# - Only the entry is visible from outside. Without that g++ marks symbols of the standard library and of the JSON
#   library as unique in the process, and two plugins, or two builds of one, share each other's variables.
# - fmt is compiled in: a plugin needs nothing at run time but the C++ standard library and what it links itself.
# - A symbol that nobody defines is an error here and not at the first call.
function(sg_add_plugin name)
  if(NOT ARGN)
    message(FATAL_ERROR "sg_add_plugin(${name}): give it at least one source file")
  endif()
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE sgeventd::plugin_api fmt::fmt-header-only)

  set(map "${CMAKE_CURRENT_BINARY_DIR}/${name}.map")
  file(GENERATE OUTPUT "${map}" CONTENT "{ global: sg_plugin_entry; local: *; };\n")
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" BUILD_RPATH "$ORIGIN/${name}.libs" INSTALL_RPATH "$ORIGIN/${name}.libs"
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS "${map}")
  target_link_options(${name} PRIVATE "-Wl,--version-script=${map}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -fno-gnu-unique)
  endif()

  # Under a sanitizer the program that loads the plugin defines some of its symbols.
  if(NOT SG_SANITIZE AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()

  # In the daemon's own tree: its warnings, and its sanitizers, which host and plugin must agree on.
  if(TARGET sg_warnings AND TARGET sg_sanitizers)
    target_link_libraries(${name} PRIVATE sg_warnings sg_sanitizers)
  endif()
endfunction()
