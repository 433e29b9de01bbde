#include "python/installation.h"

#include <unistd.h>

#include <filesystem>

namespace holdfast::sandbox {

namespace fs = std::filesystem;

Result<PythonInstallation> find_python(const std::string& interpreter, const std::string& packages) {
  std::error_code error;
  PythonInstallation found;
  found.interpreter = fs::canonical(interpreter, error).string();
  if (error || ::access(found.interpreter.c_str(), X_OK) != 0) {
    return fail(Code::kFailedPrecondition, "Python blocks need " + interpreter +
                                               ", which is not there: install Debian's package `python3` on "
                                               "the server (apt install python3)");
  }
  // The library, what its modules in C are linked with, and the zones of time.
  for (const char* path : {"/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo"}) {
    if (fs::exists(path, error)) found.readable.emplace_back(path);
  }
  found.readable.push_back(found.interpreter);
  if (packages.empty()) return found;
  const fs::path folder = fs::canonical(packages, error);
  if (error || !fs::is_directory(folder, error)) {
    return fail(Code::kInvalidArgument,
                "the folder of Python packages, `" + packages + "`, is no folder that can be read");
  }
  found.packages = folder.string();
  return found;
}

}  // namespace holdfast::sandbox
