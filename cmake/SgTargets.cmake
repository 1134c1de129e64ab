# Interface targets that every target of this tree links privately, and the two shapes a folder has.

# g++ clears up after itself only when it holds a gigabyte: a sixth less time for sources as large as unity files are.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(--param=ggc-min-heapsize=1000000)
endif()

add_library(sg_warnings INTERFACE)
target_compile_options(sg_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wsign-conversion
  -Wimplicit-fallthrough)
if(SG_WERROR)
  target_compile_options(sg_warnings INTERFACE -Werror)
endif()

add_library(sg_sanitizers INTERFACE)
if(SG_SANITIZE)
  target_compile_options(sg_sanitizers INTERFACE
    -fsanitize=${SG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sg_sanitizers INTERFACE -fsanitize=${SG_SANITIZE})
  if(SG_SANITIZE MATCHES address AND SG_SANITIZE MATCHES undefined AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_sources(sg_sanitizers INTERFACE
      $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_CURRENT_LIST_DIR}/ubsan_report.cpp>)
  endif()
endif()

# For tests, after sg_sanitizers: what they test is built by others and looked at for undefined behaviour there, and their
# own code takes half as long again to compile with it.
add_library(sg_address_only INTERFACE)
if(SG_SANITIZE MATCHES undefined)
  target_compile_options(sg_address_only INTERFACE -fno-sanitize=undefined)
endif()

# A folder of daemon/: a static library `sgeventd_<name>` with the alias `sgeventd::<name>`.
# What stands before the sources is nothing; what it links is said with target_link_libraries as usual.
function(sg_add_part name)
  add_library(sgeventd_${name} STATIC ${ARGN})
  add_library(sgeventd::${name} ALIAS sgeventd_${name})
  target_include_directories(sgeventd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/daemon)
  target_compile_definitions(sgeventd_${name} PUBLIC JSON_USE_IMPLICIT_CONVERSIONS=0)
  target_link_libraries(sgeventd_${name} PRIVATE sg_warnings sg_sanitizers)
endfunction()
