#include "activities/read_blob.h"

#include <algorithm>

#include "activities/activities.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

std::string read_blob(activity::Context& ctx, platform::Store& store, const std::string& sha256,
                      std::uint64_t offset, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) {
    const std::size_t length = std::min(bytes - out.size(), platform::kMaxBlobRead);
    const std::string part =
        require(store.read_blob(sha256, offset + out.size(), length), "reading a large result");
    if (part.empty()) throw ApplicationFailure::non_retryable("a large result is gone", "NOT_FOUND");
    out += part;
    ctx.heartbeat();
  }
  return out;
}

}  // namespace holdfast::agent
