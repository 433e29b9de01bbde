#include "wire/frame.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::sandbox {

namespace {

bool read_all(int file, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(file, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::string frame(std::string_view bytes) {
  std::string out;
  out.reserve(kFrameHeadBytes + bytes.size());
  for (std::size_t i = 0; i < kFrameHeadBytes; ++i) out += static_cast<char>(bytes.size() >> (8 * i));
  out += bytes;
  return out;
}

std::size_t frame_size(std::string_view head) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kFrameHeadBytes; ++i) {
    size |= std::size_t{static_cast<std::uint8_t>(head[i])} << (8 * i);
  }
  return size;
}

bool read_frame(int file, std::string& bytes) {
  char head[kFrameHeadBytes];
  if (!read_all(file, head, sizeof head)) return false;
  const std::size_t size = frame_size({head, sizeof head});
  if (size > kMostFrameBytes) return false;
  bytes.resize(size);
  return read_all(file, bytes.data(), size);
}

bool write_frame(int file, std::string_view bytes) {
  const std::string whole = frame(bytes);
  std::string_view left = whole;
  while (!left.empty()) {
    const ssize_t put = ::write(file, left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace holdfast::sandbox
