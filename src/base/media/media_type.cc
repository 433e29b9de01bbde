#include "media/media_type.h"

#include <magic.h>

#include <memory>
#include <mutex>

namespace holdfast {

namespace {

constexpr const char* kUnknown = "application/octet-stream";

struct Close {
  void operator()(magic_set* magic) const { magic_close(magic); }
};

// Its tables cost some milliseconds, once. Null: this machine does not have them.
magic_set* loaded() {
  static const std::unique_ptr<magic_set, Close> magic = [] {
    std::unique_ptr<magic_set, Close> made(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS));
    if (made && magic_load(made.get(), nullptr) != 0) made.reset();
    return made;
  }();
  return magic.get();
}

}  // namespace

std::string media_type_of(std::string_view bytes) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  magic_set* magic = loaded();
  const char* type = magic == nullptr ? nullptr : magic_buffer(magic, bytes.data(), bytes.size());
  return type == nullptr ? kUnknown : type;
}

}  // namespace holdfast
