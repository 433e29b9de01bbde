# Compiler, warnings, linker and cache: one place for what every target shares.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
# GNU extensions define `linux`, which breaks a Temporal message of that name.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(HOLDFAST_OPTIMISE "-O2 -g1" CACHE STRING "Optimisation and debug flags")
set(HOLDFAST_SANITIZE "" CACHE STRING "Value of -fsanitize=, empty for none")

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE)
  # Paths relative to the checkout, so that every clone of the tree shares one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${HOLDFAST_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

find_program(HOLDFAST_MOLD mold)
if(HOLDFAST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

# Hardening of everything we compile, generated messages too (SECURITY.md): a memory error that is still there ends the
# process instead of becoming somebody's code. _FORTIFY_SOURCE needs an optimised build, the sanitizers do all of it better.
if(NOT HOLDFAST_SANITIZE)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
  if(HOLDFAST_OPTIMISE MATCHES "-O[123s]")
    add_compile_options(-D_FORTIFY_SOURCE=3)
  endif()
endif()

# A module finds its own libraries; those who link the module see them too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
find_package(Threads REQUIRED)

# Flags of our own code; generated messages are compiled apart (cmake/protos.cmake).
add_library(holdfast_flags INTERFACE)
separate_arguments(_optimise UNIX_COMMAND "${HOLDFAST_OPTIMISE}")
target_compile_options(holdfast_flags INTERFACE ${_optimise} -Wall -Wextra -Wpedantic -Wshadow
                       -Wno-unused-parameter -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A precompiled header without the times of its files is the same bytes in every clone, so the compiler cache serves
  # what includes it.
  target_compile_options(holdfast_flags INTERFACE -Wthread-safety "SHELL:-Xclang -fno-pch-timestamp")
endif()
target_link_libraries(holdfast_flags INTERFACE Threads::Threads)
if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_flags INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()

# The allocator of our executables: a tenth of the engine's processor time with the C library's (docs/adr/0019).
# Nothing refers to it by name, and the sanitizers bring their own.
add_library(holdfast_malloc INTERFACE)
if(NOT HOLDFAST_SANITIZE)
  find_library(HOLDFAST_TCMALLOC tcmalloc_minimal REQUIRED)
  target_link_libraries(holdfast_malloc
                        INTERFACE -Wl,--push-state,--no-as-needed ${HOLDFAST_TCMALLOC} -Wl,--pop-state)
endif()
