#pragma once

// The Monty of this machine: the operator says where its program is (PyPI `pydantic-monty-runtime`); nobody
// looks for it, and nothing is fetched. Any thread.

#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::sandbox {

struct MontyInstallation {
  std::string program;                // the file itself, behind every link
  std::vector<std::string> readable;  // what it is linked with; folders, absolute, each of them there
};

// FAILED_PRECONDITION: it is not there, or none was named; says what to do.
Result<MontyInstallation> find_monty(const std::string& program);

}  // namespace holdfast::sandbox
