#pragma once

// How Python's first process comes to be: this process shuts itself in as far as an interpreter that is about
// to start can be, and becomes it. The rest is given up by each worker, before it hears anything
// (python/runner.py), with what is made here: the filter of workers and the rules of Landlock.

#include <span>
#include <string>
#include <string_view>

#include "jail/shut_in.h"

namespace holdfast::sandbox {

inline constexpr int kPythonControl = 0;  // its control socket; 1 and 2 take what it complains of
inline constexpr int kPythonNull = 4;     // /dev/null, open

struct PythonStart {
  Level level = Level::kNamespaces;
  std::string interpreter;
  std::string runner;                          // its text
  std::string packages;                        // a folder; empty: none
  std::span<const std::string_view> readable;  // files and folders that the interpreter needs
};

// Returns when it failed, with an exit code; the broker has been told why.
int become_python(const PythonStart& start);

}  // namespace holdfast::sandbox
