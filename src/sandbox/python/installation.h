#pragma once

// The Python of this machine: where its interpreter is, and what of the machine that one reads. Any thread.

#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::sandbox {

inline constexpr const char* kPython = "/usr/bin/python3";

struct PythonInstallation {
  std::string interpreter;            // the file itself, behind every link
  std::string packages;               // the operator's folder, absolute; empty: none
  std::vector<std::string> readable;  // folders and files of its own, absolute, each of them there
};

// FAILED_PRECONDITION: it is not there; says what to install. INVALID_ARGUMENT: `packages` is no folder.
Result<PythonInstallation> find_python(const std::string& interpreter = kPython,
                                       const std::string& packages = {});

}  // namespace holdfast::sandbox
