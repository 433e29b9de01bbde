# holdfast_wing(name [ROOMS room ...] [USES wing ...])
#
# A wing is a folder src/<name>, its rooms the folders in it; without ROOMS the wing is one room itself. Wings are
# declared bottom-up in src/CMakeLists.txt; a wing that is used before it is declared, and a room that is not there,
# are configure errors.
function(holdfast_wing name)
  cmake_parse_arguments(arg "" "" "ROOMS;USES" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wing ${name}: ROOMS and USES are the words, not '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  get_property(wings GLOBAL PROPERTY HOLDFAST_WINGS)
  foreach(used ${arg_USES})
    if(NOT used IN_LIST wings)
      message(FATAL_ERROR "wing ${name} uses ${used}, which is not declared above it in src/CMakeLists.txt")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY HOLDFAST_WINGS ${name})
  set(HOLDFAST_WING ${name})
  set(HOLDFAST_WING_USES ${name} ${arg_USES})
  set(folders ${name})
  if(arg_ROOMS)
    list(TRANSFORM arg_ROOMS PREPEND ${name}/ OUTPUT_VARIABLE folders)
  endif()
  foreach(folder ${folders})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      message(FATAL_ERROR "wing ${name} names ${folder}, which is not there")
    endif()
  endforeach()
  if(arg_ROOMS)
    file(GLOB there RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${name}/*/CMakeLists.txt)
    list(TRANSFORM there REPLACE /CMakeLists.txt "")
    foreach(folder ${there})
      if(NOT folder IN_LIST folders)
        message(FATAL_ERROR "src/${folder} is a room of no wing: name it in src/CMakeLists.txt")
      endif()
    endforeach()
  endif()
  foreach(folder ${folders})
    add_subdirectory(${folder})
  endforeach()
endfunction()

# holdfast_module(name [SOURCES ...] [DEPS ...] [LIBS ...] [TESTS ...] [TEST_DEPS ...] [PUBLIC_HEADERS ...]
#                      [VISIBLE_TO ...] [PCH] [PUBLIC_API])
#
# A module is a flat folder, a room of the wing that declares it. Its include root holds one symbolic link, <name>,
# to that folder, so `#include "engine/core.h"` compiles only in a module that names `engine` in DEPS (directly or
# through a dependency). A DEPS entry that is not declared yet, or that stands in a wing which this one does not use,
# is a configure error: the order of declaration in src/CMakeLists.txt is the layering, and a cycle cannot be written.
# VISIBLE_TO names the modules that may depend on this one; an implementation behind an interface says so.
# TESTS are compiled into the one unit-test binary of the module, `<name>_test`, beside the code they test; what only
# they may use stands in TEST_DEPS and may come from any wing.
# PUBLIC_HEADERS are the headers of include/holdfast that belong to this module; PUBLIC_API shows all of them.
# PCH precompiles the Temporal messages for this module; it shares the header set in api/messages.h.
function(holdfast_module name)
  cmake_parse_arguments(arg "PCH;PUBLIC_API" "" "SOURCES;DEPS;LIBS;TESTS;TEST_DEPS;PUBLIC_HEADERS;VISIBLE_TO" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "module ${name}: '${arg_UNPARSED_ARGUMENTS}' is no word of holdfast_module")
  endif()
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  foreach(header ${arg_PUBLIC_HEADERS})
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/include/holdfast/${header})
      message(FATAL_ERROR "module ${name} names holdfast/${header}, which is not there")
    endif()
    file(MAKE_DIRECTORY ${root}/holdfast)
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/holdfast/${header} ${root}/holdfast/${header} SYMBOLIC)
  endforeach()

  set_property(GLOBAL PROPERTY HOLDFAST_WING_OF_${name} ${HOLDFAST_WING})
  set_property(GLOBAL PROPERTY HOLDFAST_VISIBLE_TO_${name} ${arg_VISIBLE_TO})

  set(dep_targets)
  foreach(dep ${arg_DEPS})
    if(NOT TARGET hf_${dep})
      message(FATAL_ERROR "module ${name} depends on ${dep}, which is not declared above it in src/CMakeLists.txt")
    endif()
    get_property(wing GLOBAL PROPERTY HOLDFAST_WING_OF_${dep})
    if(NOT wing IN_LIST HOLDFAST_WING_USES)
      message(FATAL_ERROR "module ${name} of wing ${HOLDFAST_WING} depends on ${dep} of wing ${wing}, which it may not use")
    endif()
    get_property(visible_to GLOBAL PROPERTY HOLDFAST_VISIBLE_TO_${dep})
    if(visible_to AND NOT name IN_LIST visible_to)
      message(FATAL_ERROR "module ${name} depends on ${dep}, which only ${visible_to} may name")
    endif()
    list(APPEND dep_targets hf_${dep})
  endforeach()

  foreach(dep ${arg_TEST_DEPS})  # they may be declared later: asked when everything is
    cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]] CALL holdfast_check_test_dep ${name} ${dep})")
  endforeach()

  if(arg_SOURCES)
    add_library(hf_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(hf_${name} PRIVATE holdfast_flags)
    if(arg_PCH)
      target_precompile_headers(hf_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/base/api/messages.h)
    endif()
    holdfast_precompile(hf_${name} ${arg_SOURCES})
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
      target_precompile_headers(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/src/base/api/messages.h)
    endif()
    holdfast_precompile(${name}_test ${arg_TESTS})
    holdfast_gtest(unit/${name} ${name}_test)
  endif()
endfunction()

function(holdfast_check_test_dep name dep)
  if(NOT TARGET hf_${dep})
    message(FATAL_ERROR "the tests of ${name} depend on ${dep}, which is no module")
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
