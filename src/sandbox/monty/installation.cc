#include "monty/installation.h"

#include <unistd.h>

#include <filesystem>

namespace holdfast::sandbox {

namespace fs = std::filesystem;

Result<MontyInstallation> find_monty(const std::string& program) {
  constexpr const char* kWhatToDo =
      "install it (pip install pydantic-monty-runtime) and start the server with --monty PATH, the path of "
      "the program `monty` that this brings";
  if (program.empty())
    return fail(
        Code::kFailedPrecondition,
        std::string("blocks in Monty need its program, which this server was not given: ") + kWhatToDo);
  std::error_code error;
  MontyInstallation found;
  found.program = fs::canonical(program, error).string();
  if (error || !fs::is_regular_file(found.program, error) || ::access(found.program.c_str(), X_OK) != 0)
    return fail(Code::kFailedPrecondition, "blocks in Monty need " + program +
                                               ", which is no program that can be started: " + kWhatToDo);
  for (const char* path : {"/usr/lib", "/usr/lib64", "/lib", "/lib64"}) {
    if (fs::exists(path, error)) found.readable.emplace_back(path);
  }
  return found;
}

}  // namespace holdfast::sandbox
