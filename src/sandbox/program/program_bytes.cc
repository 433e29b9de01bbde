#include "program/program_bytes.h"

#include <cstddef>

#include "base/embedded.h"

HOLDFAST_EMBED(holdfast_sandbox_program, HOLDFAST_SANDBOX_PROGRAM);

namespace holdfast::sandbox {

std::string_view program_bytes() {
  return {holdfast_sandbox_program,
          static_cast<std::size_t>(holdfast_sandbox_program_end - holdfast_sandbox_program)};
}

}  // namespace holdfast::sandbox
