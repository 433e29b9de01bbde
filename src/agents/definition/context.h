#pragma once

// `spec.context`: how much of a conversation a model is told, and what becomes of the rest. Without the
// section a conversation is told whole.
//
// Values; reading records problems as every section does.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "spec/yaml_reader.h"

namespace holdfast::agent {

// Of tool results that are not among the last: the model sees so much of each.
struct TrimSpec {
  int keep_last = 5;
  std::size_t max_bytes = 2000;
};

struct ContextSpec {
  std::int64_t window = 200'000;                // tokens that the model takes
  std::map<std::string, std::int64_t> windows;  // by the model's name, where it differs
  double compact_at = 0.8;                      // of the window: then what is older becomes a summary
  int keep_last = 20;                           // messages that stay as they are
  std::optional<TrimSpec> trim_tool_results;    // none: they stay whole
  bool pin_first = true;                        // the first message stays, too

  // Tokens from which on older messages become a summary.
  std::int64_t threshold(const std::string& model) const;
};

std::optional<ContextSpec> parse_context(spec::MapReader& spec);
nlohmann::json context_json(const ContextSpec& context);
// JSON Schema of the section.
std::string_view context_schema();

}  // namespace holdfast::agent
