#pragma once

// Code of OpenAI's Agents SDK, Python or TypeScript, as Agent Builder exports it: each agent a file, the
// calls of its entry point a flow, in their order, and a report of everything else. It is read as text and
// never executed. Pure.

#include <string_view>

#include "intake/n8n.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxSdkBytes = 1 << 20;

// INVALID_ARGUMENT: it is larger, or there is no agent in it. Without a call that runs one, `yaml` is empty.
Result<ImportedFlow> import_agents_sdk(std::string_view code, std::string_view source, std::string_view name);

}  // namespace holdfast::flows
