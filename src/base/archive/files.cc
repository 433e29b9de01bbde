#include "archive/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/sha256.h"

namespace holdfast::archive {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

Status from_errno(int error, std::string_view what, const fs::path& path) {
  std::string message = fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT: return {Code::kResourceExhausted, message + "; free some space and try again"};
    case EACCES:
    case EPERM:
    case EROFS: return {Code::kPermissionDenied, std::move(message)};
    case ENOENT: return {Code::kNotFound, std::move(message)};
    case EEXIST: return {Code::kAlreadyExists, std::move(message)};
    default: return {Code::kUnavailable, std::move(message)};
  }
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return from_errno(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Every piece of an open file, with what they hash to.
template <typename Take>
Result<File> each_piece(int fd, const fs::path& path, const GiveUp& give_up, Take take) {
  File out;
  Sha256 hash;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  while (true) {
    if (give_up && give_up()) return fail(Code::kCancelled, "given up");
    const ssize_t got = ::read(fd, buffer.get(), kPieceBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(from_errno(errno, "read", path));
    if (got == 0) break;
    const std::string_view piece(buffer.get(), static_cast<std::size_t>(got));
    hash.update(piece);
    out.size += piece.size();
    if (Status status = take(piece); !status.ok()) return fail(std::move(status));
  }
  out.sha256 = hash.hex();
  return out;
}

}  // namespace

Result<File> copy_file(const fs::path& from, const fs::path& to, const GiveUp& give_up) {
  const Descriptor source(from, O_RDONLY);
  if (!source.ok()) return fail(from_errno(errno, "open", from));
  const Descriptor target(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!target.ok()) return fail(from_errno(errno, "create", to));
  auto copied = each_piece(source.get(), from, give_up,
                           [&](std::string_view piece) { return write_all(target.get(), piece, to); });
  if (copied && ::fsync(target.get()) != 0) return fail(from_errno(errno, "sync", to));
  return copied;
}

Result<File> seal_file(const fs::path& path, const GiveUp& give_up) {
  const Descriptor file(path, O_RDWR);
  if (!file.ok()) return fail(from_errno(errno, "open", path));
  if (::fchmod(file.get(), 0600) != 0) return fail(from_errno(errno, "keep from others", path));
  if (::fsync(file.get()) != 0) return fail(from_errno(errno, "sync", path));
  return each_piece(file.get(), path, give_up, [](std::string_view) { return Status(); });
}

Status write_file(const fs::path& path, std::string_view text) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return from_errno(errno, "create", path);
  if (Status status = write_all(file.get(), text, path); !status.ok()) return status;
  return ::fsync(file.get()) == 0 ? Status() : from_errno(errno, "sync", path);
}

Result<std::string> read_file(const fs::path& path, std::size_t most) {
  const Descriptor file(path, O_RDONLY);
  if (!file.ok()) return fail(from_errno(errno, "open", path));
  std::string text;
  auto read = each_piece(file.get(), path, {}, [&](std::string_view piece) -> Status {
    if (piece.size() > most - text.size())
      return {Code::kResourceExhausted, fmt::format("{} has more than {} bytes", path.string(), most)};
    text += piece;
    return {};
  });
  if (!read) return fail(read.error());
  return text;
}

Status sync_folder(const fs::path& path) {
  const Descriptor folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return from_errno(errno, "open", path);
  return ::fsync(folder.get()) == 0 ? Status() : from_errno(errno, "sync", path);
}

bool is_within(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(path / "", error);
  if (error) return false;
  const fs::path outer = fs::weakly_canonical(folder / "", error);
  if (error) return false;
  auto part = inner.begin();
  for (const fs::path& wanted : outer) {
    if (wanted.empty()) continue;  // behind the last slash
    if (part == inner.end() || *part != wanted) return false;
    ++part;
  }
  return true;
}

Status check_space(const fs::path& folder, std::uint64_t bytes) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) return {};
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (free >= bytes) return {};
  return {Code::kResourceExhausted, fmt::format("the disk of {} has {} MiB free, {} MiB are needed",
                                                folder.string(), free >> 20, (bytes >> 20) + 1)};
}

}  // namespace holdfast::archive
