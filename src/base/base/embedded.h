#pragma once

// HOLDFAST_EMBED(name, "file"): the bytes of a file, as they are when this is compiled, from `name` up to
// `name_end`. At namespace scope of a source file, outside of all namespaces; the build system has to know
// that the object depends on the file. The symbols are hidden: each is this program's own.

// clang-format off
#define HOLDFAST_EMBED(name, file)                                                      \
  asm(".section .rodata\n"                                                              \
      ".hidden " #name "\n"                                                             \
      ".globl " #name "\n"                                                              \
      #name ":\n"                                                                       \
      ".incbin \"" file "\"\n"                                                          \
      ".hidden " #name "_end\n"                                                         \
      ".globl " #name "_end\n"                                                          \
      #name "_end:\n"                                                                   \
      ".previous\n");                                                                   \
  extern "C" __attribute__((visibility("hidden"))) const char name[];                   \
  extern "C" __attribute__((visibility("hidden"))) const char name##_end[]
// clang-format on
