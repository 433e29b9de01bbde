#include "app/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

Status from_errno(int error, const std::string& path) {
  Code code = error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG ? Code::kNotFound
              : error == EISDIR                                            ? Code::kInvalidArgument
              : error == EACCES || error == EPERM                          ? Code::kPermissionDenied
                                                                           : Code::kUnavailable;
  return {code, fmt::format("{} cannot be read: {}", path, std::strerror(error))};
}

Result<std::string> read_all(int fd, const std::string& path, std::size_t max_bytes) {
  struct stat kind{};
  if (::fstat(fd, &kind) != 0) return fail(from_errno(errno, path));
  if (S_ISDIR(kind.st_mode)) return fail(from_errno(EISDIR, path));
  std::string text;
  char buffer[64 * 1024];
  while (true) {
    ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(from_errno(errno, path));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is larger than the {} KiB that are read", path, max_bytes >> 10));
    }
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input", max_bytes);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(from_errno(errno, path));
  Result<std::string> text = read_all(fd, path, max_bytes);
  ::close(fd);
  return text;
}

std::string folder_of(const std::string& file) {
  std::error_code error;
  fs::path folder = fs::absolute(file, error).parent_path();
  fs::path real = fs::canonical(folder, error);
  return error ? folder.lexically_normal().string() : real.string();
}

}  // namespace holdfast::app
