#include "app/input_file.h"

#include <filesystem>

namespace holdfast::app {

namespace fs = std::filesystem;

std::string folder_of(const std::string& file) {
  std::error_code error;
  fs::path folder = fs::absolute(file, error).parent_path();
  fs::path real = fs::canonical(folder, error);
  return error ? folder.lexically_normal().string() : real.string();
}

}  // namespace holdfast::app
