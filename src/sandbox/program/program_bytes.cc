#include "program/program_bytes.h"

// clang-format off
asm(".section .rodata\n"
    ".hidden holdfast_sandbox_program\n"
    ".globl holdfast_sandbox_program\n"
    "holdfast_sandbox_program:\n"
    ".incbin \"" HOLDFAST_SANDBOX_PROGRAM "\"\n"
    ".hidden holdfast_sandbox_program_end\n"
    ".globl holdfast_sandbox_program_end\n"
    "holdfast_sandbox_program_end:\n"
    ".previous\n");
// clang-format on
extern "C" __attribute__((visibility("hidden"))) const char holdfast_sandbox_program[];
extern "C" __attribute__((visibility("hidden"))) const char holdfast_sandbox_program_end[];

namespace holdfast::sandbox {

std::string_view program_bytes() {
  return {holdfast_sandbox_program,
          static_cast<std::size_t>(holdfast_sandbox_program_end - holdfast_sandbox_program)};
}

}  // namespace holdfast::sandbox
