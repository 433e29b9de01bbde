#include "python/runner.h"

#include <cstddef>

// clang-format off
asm(".section .rodata\n"
    ".hidden holdfast_python_runner\n"
    ".globl holdfast_python_runner\n"
    "holdfast_python_runner:\n"
    ".incbin \"" HOLDFAST_PYTHON_RUNNER "\"\n"
    ".hidden holdfast_python_runner_end\n"
    ".globl holdfast_python_runner_end\n"
    "holdfast_python_runner_end:\n"
    ".previous\n");
// clang-format on
extern "C" __attribute__((visibility("hidden"))) const char holdfast_python_runner[];
extern "C" __attribute__((visibility("hidden"))) const char holdfast_python_runner_end[];

namespace holdfast::sandbox {

std::string_view python_runner() {
  return {holdfast_python_runner,
          static_cast<std::size_t>(holdfast_python_runner_end - holdfast_python_runner)};
}

}  // namespace holdfast::sandbox
