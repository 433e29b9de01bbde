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

std::optional<KeptText> kept_text(const nlohmann::json& record) {
  const auto output = record.find("output");
  if (output == record.end()) return std::nullopt;
  const auto damaged = [] {
    return ApplicationFailure::non_retryable("what is known of a large result is damaged", "DATA_LOSS");
  };
  if (!output->is_object()) throw damaged();
  const auto sha256 = output->find("sha256");
  const auto bytes = output->find("bytes");
  if (sha256 == output->end() || !sha256->is_string() || bytes == output->end() ||
      !bytes->is_number_integer() || *bytes < 0)
    throw damaged();
  KeptText out;
  out.sha256 = sha256->get<std::string>();
  out.bytes = bytes->get<std::size_t>();
  return out;
}

std::optional<std::string> whole_text(activity::Context& ctx, platform::Store& store,
                                      const nlohmann::json& record, std::size_t most) {
  const auto kept = kept_text(record);
  if (!kept) return record.value("text", "");
  if (kept->bytes > most) return std::nullopt;
  return read_blob(ctx, store, kept->sha256, 0, kept->bytes);
}

}  // namespace holdfast::agent
