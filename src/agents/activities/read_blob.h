#pragma once

// Bytes of what is kept beside a run, in as many reads as they take. Blocks; the activity tells that it lives
// meanwhile. As require() throws; NOT_FOUND, final, when they are gone.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "holdfast/activity.h"
#include "platform/store.h"

namespace holdfast::agent {

std::string read_blob(activity::Context& ctx, platform::Store& store, const std::string& sha256,
                      std::uint64_t offset, std::size_t bytes);

// Of a recorded result: the text that is kept beside the run, of which the record has the beginning.
struct KeptText {
  std::string sha256;
  std::size_t bytes = 0;
};
// None: the record has all of it. DATA_LOSS, final, when it says of a kept one neither what nor how large.
std::optional<KeptText> kept_text(const nlohmann::json& record);

// All of a result, not what a model would see of it; none: it has more than `most` bytes.
std::optional<std::string> whole_text(activity::Context& ctx, platform::Store& store,
                                      const nlohmann::json& record, std::size_t most);

}  // namespace holdfast::agent
