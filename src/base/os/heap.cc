#include "os/heap.h"

// tcmalloc's, where it is linked (docs/adr/0019).
extern "C" {
[[gnu::weak]] int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
}

namespace holdfast::os {

std::optional<std::size_t> heap_bytes() {
  std::size_t bytes = 0;
  if (MallocExtension_GetNumericProperty == nullptr ||
      MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &bytes) == 0) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace holdfast::os
