#pragma once

// Output of a tool that is larger than what its model gets to see: it is kept whole with the run, and the
// model sees its beginning, its end, and how to read on. Blocks; any thread; never fails: what cannot be kept
// is cut, and says so.

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "platform/store.h"

namespace holdfast::agent {

inline constexpr std::size_t kOutputIdCharacters = 16;  // of its hash: what a model names it by

struct LargeOutput {
  std::string run;
  std::string conversation;
  std::size_t limit = 0;         // what the model gets to see
  bool readable = false;         // it has read_output
  std::function<void()> beat{};  // while it is being kept
};

// What of `text`, which holds no secret any more, the model sees. What was kept is put into `record` as
// "output": {"sha256", "bytes", "type"}.
std::string fit_output(platform::Store& store, const LargeOutput& how, std::string text,
                       nlohmann::json& record);

// "application/json" or "text/plain".
std::string_view type_of_text(std::string_view text);

}  // namespace holdfast::agent
