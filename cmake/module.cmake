# holdfast_module(name [SOURCES ...] [DEPS ...] [LIBS ...] [TESTS ...] [PCH])
#
# A module is a flat folder src/<name>. Its include root holds one symbolic link, <name>, to that folder, so
# `#include "engine/shard.h"` compiles only in a module that names `engine` in DEPS (directly or through a
# dependency). A DEPS entry that is not declared yet is a configure error: the order of declaration in
# src/CMakeLists.txt is the layering, and a cycle cannot be written.
# TESTS are compiled into the one unit-test binary of the module, `<name>_test`, beside the code they test.
# PCH precompiles the Temporal messages for this module; it shares the header set in api/messages.h.
function(holdfast_module name)
  cmake_parse_arguments(arg "PCH;PUBLIC_API" "" "SOURCES;DEPS;LIBS;TESTS;TEST_DEPS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  if(NOT EXISTS ${root}/${name})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${name} ${root}/${name} SYMBOLIC)
  endif()

  set(dep_targets)
  foreach(dep ${arg_DEPS})
    if(NOT TARGET hf_${dep})
      message(FATAL_ERROR "module ${name} depends on ${dep}, which is not declared below it in src/CMakeLists.txt")
    endif()
    list(APPEND dep_targets hf_${dep})
  endforeach()

  if(arg_SOURCES)
    add_library(hf_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(hf_${name} PRIVATE holdfast_flags)
    if(arg_PCH)
      target_precompile_headers(hf_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/api/messages.h)
    endif()
  else()
    add_library(hf_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(hf_${name} ${scope} ${root})
  if(arg_PUBLIC_API)
    target_include_directories(hf_${name} ${scope} ${CMAKE_SOURCE_DIR}/include)
  endif()
  target_link_libraries(hf_${name} ${scope} ${dep_targets} ${arg_LIBS})

  if(HOLDFAST_TESTS AND arg_TESTS)
    set(test_deps)
    foreach(dep ${arg_TEST_DEPS})
      list(APPEND test_deps hf_${dep})
    endforeach()
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE hf_${name} ${test_deps} holdfast_flags GTest::gmock GTest::gtest_main)
    if(arg_PCH)
      target_precompile_headers(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/src/api/messages.h)
    endif()
    holdfast_gtest(unit/${name} ${name}_test)
  endif()
endfunction()

# holdfast_gtest(name target [arguments]): registers a GoogleTest program with CTest; its report lets ./dev test count
# cases (tools/run_tests.py).
function(holdfast_gtest name target)
  string(REPLACE "/" "_" file ${name})
  add_test(NAME ${name} COMMAND ${target} --gtest_output=xml:${CMAKE_BINARY_DIR}/reports/${file}.xml ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# holdfast_pytest(name folder [arguments]): registers a folder of Python tests, run in the environment that
# tools/venv.sh makes from tests/requirements.txt.
function(holdfast_pytest name folder)
  string(REPLACE "/" "_" file ${name})
  add_test(NAME ${name}
           COMMAND ${CMAKE_BINARY_DIR}/venv/bin/python -m pytest -q -p no:cacheprovider
                   --junitxml=${CMAKE_BINARY_DIR}/reports/${file}.xml ${folder} ${ARGN}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 ENVIRONMENT "HOLDFAST_BUILD=${CMAKE_BINARY_DIR}")
endfunction()
