#pragma once

// `detached` of a tool: its calls are started and not waited for, and what ends one. Absent it is left out of
// the canonical form, so that versions without it keep their hash. Values and pure functions.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/detached.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct ToolSpec;

struct DetachSpec {
  protocol::CompletedBy by = protocol::CompletedBy::kCall;
  std::chrono::milliseconds deadline{0};  // of kToken
};

// What a tool that hands out tokens may use in its section like an argument.
inline constexpr std::string_view kCompletionUrl = "completion_url";
inline constexpr std::string_view kCompletionToken = "completion_token";

std::optional<DetachSpec> parse_detached(spec::MapReader& tool);
// When the tool is read: its type and its arguments must allow it.
void check_detached(spec::MapReader& in, const ToolSpec& tool);
// Whether its calls hand out tokens.
bool hands_out_tokens(const ToolSpec& tool);
// The arguments that its section may use: those of `parameters`, and what is handed out.
nlohmann::json usable_parameters(const ToolSpec& tool);

void add_detached(nlohmann::json& tool, const std::optional<DetachSpec>& detached);
void add_detached_schema(nlohmann::ordered_json& schema);

}  // namespace holdfast::agent
