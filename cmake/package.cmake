# The package: what `cmake --install` writes for programs outside the tree. `--component sdk` is what such a program is
# built with, `--component program` the server; without a component both.
#
# One shared library. Static ones would hand every user our gRPC, Protobuf and flags to find and link; this one needs
# nothing but itself, and JSON's headers, which the public headers include. Client and worker share code that is not
# public, so they are one library, and the CMake components say which of its two faces a program uses.
#
# Rooms whose code is in it are compiled with hidden visibility: HOLDFAST_PUBLIC (holdfast/public.h) marks what stays
# visible. The two files of the public API that lie in `base`, and are included by everything, say so here.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_rooms runtime connect client worker)
foreach(room base api os ${_rooms})
  set_target_properties(hf_${room} PROPERTIES CXX_VISIBILITY_PRESET hidden)
endforeach()
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/base/base/status.cc TARGET_DIRECTORY hf_base
                            PROPERTIES COMPILE_OPTIONS -fvisibility=default)

list(TRANSFORM _rooms REPLACE "(.+)" "$<TARGET_OBJECTS:hf_\\1>" OUTPUT_VARIABLE _objects)
add_library(holdfast_library SHARED ${_objects})
# Before 1.0 every minor version may change the interface.
set_target_properties(holdfast_library PROPERTIES
  OUTPUT_NAME holdfast LINKER_LANGUAGE CXX EXPORT_NAME library
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_compile_features(holdfast_library INTERFACE cxx_std_23)
target_include_directories(holdfast_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(holdfast_library INTERFACE nlohmann_json::nlohmann_json
                      PRIVATE $<BUILD_INTERFACE:hf_worker> $<BUILD_INTERFACE:hf_connect>)
target_link_options(holdfast_library PRIVATE
  LINKER:--exclude-libs,$<TARGET_FILE_NAME:holdfast_temporal_messages>)
if(NOT HOLDFAST_SANITIZE)  # whose runtime is the program's, not the library's
  target_link_options(holdfast_library PRIVATE LINKER:-z,defs)
endif()

# Component, and what its pkg-config file says of itself.
set(_components client worker)
string(JOIN " and " _component_names ${_components})
file(RELATIVE_PATH UP_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(_about_client "start workflows and talk to them")
set(_about_worker "run workflows and activities")
set(_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Holdfast)
set(_package ${CMAKE_BINARY_DIR}/package)
foreach(component ${_components})
  add_library(holdfast_${component} INTERFACE)
  set_target_properties(holdfast_${component} PROPERTIES EXPORT_NAME ${component})
  target_link_libraries(holdfast_${component} INTERFACE holdfast_library)
  set(COMPONENT ${component})
  set(ABOUT ${_about_${component}})
  configure_file(cmake/holdfast.pc.in ${_package}/holdfast-${component}.pc @ONLY)
  install(FILES ${_package}/holdfast-${component}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
endforeach()

configure_package_config_file(cmake/HoldfastConfig.cmake.in ${_package}/HoldfastConfig.cmake
                              INSTALL_DESTINATION ${_cmake_dir})
write_basic_package_version_file(${_package}/HoldfastConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${_package}/HoldfastConfig.cmake ${_package}/HoldfastConfigVersion.cmake
        DESTINATION ${_cmake_dir} COMPONENT sdk)
install(TARGETS holdfast_library holdfast_client holdfast_worker EXPORT Holdfast
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(EXPORT Holdfast FILE HoldfastTargets.cmake NAMESPACE Holdfast:: DESTINATION ${_cmake_dir} COMPONENT sdk)
install(DIRECTORY include/holdfast DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
install(TARGETS holdfast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
