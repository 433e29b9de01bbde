#include "python/runner.h"

#include <cstddef>

#include "base/embedded.h"

HOLDFAST_EMBED(holdfast_python_runner, HOLDFAST_PYTHON_RUNNER);

namespace holdfast::sandbox {

std::string_view python_runner() {
  return {holdfast_python_runner,
          static_cast<std::size_t>(holdfast_python_runner_end - holdfast_python_runner)};
}

}  // namespace holdfast::sandbox
