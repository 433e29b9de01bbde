#include "definition/context.h"

#include <fmt/format.h>

namespace holdfast::agent {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kLeastWindow = 1000;
constexpr std::int64_t kLargestWindow = 100'000'000;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "description": "How much of a conversation the model is told. Absent: all of it.",
  "properties": {
    "window": {"type": "integer", "minimum": 1000, "maximum": 100000000, "description": "Tokens that the model takes."},
    "windows": {
      "type": "object",
      "additionalProperties": {"type": "integer", "minimum": 1000, "maximum": 100000000},
      "description": "The same by the name of a model, where it differs."
    },
    "compact_at": {"type": "number", "minimum": 0.1, "maximum": 0.95, "description": "Part of the window from which on older messages become a summary."},
    "keep_last": {"type": "integer", "minimum": 2, "maximum": 1000, "description": "Messages that stay as they are."},
    "pin": {"enum": ["first", "none"], "description": "Whether the first message stays as it is, too."},
    "trim_tool_results": {
      "type": "object",
      "additionalProperties": false,
      "description": "Of tool results that are not among the last, the model sees the beginning.",
      "properties": {
        "keep_last": {"type": "integer", "minimum": 0, "maximum": 1000},
        "max_bytes": {"type": "integer", "minimum": 100, "maximum": 1048576}
      }
    }
  }
})json";

void parse_windows(spec::MapReader& in, ContextSpec& out) {
  const Json windows = in.json("windows");
  if (windows.is_null()) return;
  if (!windows.is_object()) return in.problem("windows", "must map names of models to tokens");
  for (const auto& [model, tokens] : windows.items()) {
    const bool fits = tokens.is_number_integer() && tokens.get<std::int64_t>() >= kLeastWindow &&
                      tokens.get<std::int64_t>() <= kLargestWindow;
    if (!fits) {
      in.problem("windows", fmt::format("the window of `{}` must be an integer from {} to {}", model,
                                        kLeastWindow, kLargestWindow));
      continue;
    }
    out.windows[model] = tokens.get<std::int64_t>();
  }
}

std::optional<TrimSpec> parse_trim(spec::MapReader& context) {
  if (!context.has("trim_tool_results")) return std::nullopt;
  spec::MapReader in = context.map("trim_tool_results");
  TrimSpec out;
  out.keep_last = static_cast<int>(in.integer("keep_last", out.keep_last, 0, 1000));
  out.max_bytes = static_cast<std::size_t>(
      in.integer("max_bytes", static_cast<std::int64_t>(out.max_bytes), 100, 1024 * 1024));
  in.finish();
  return out;
}

}  // namespace

std::int64_t ContextSpec::threshold(const std::string& model) const {
  const auto own = windows.find(model);
  return static_cast<std::int64_t>(static_cast<double>(own == windows.end() ? window : own->second) *
                                   compact_at);
}

std::optional<ContextSpec> parse_context(spec::MapReader& spec) {
  if (!spec.has("context")) return std::nullopt;
  spec::MapReader in = spec.map("context");
  ContextSpec out;
  out.window = in.integer("window", out.window, kLeastWindow, kLargestWindow);
  parse_windows(in, out);
  out.compact_at = in.number("compact_at", 0.1, 0.95).value_or(out.compact_at);
  out.keep_last = static_cast<int>(in.integer("keep_last", out.keep_last, 2, 1000));
  out.pin_first = in.choice("pin", {"first", "none"}).value_or(0) == 0;
  out.trim_tool_results = parse_trim(in);
  in.finish();
  return out;
}

Json context_json(const ContextSpec& context) {
  Json out = {{"window", context.window},
              {"compact_at", context.compact_at},
              {"keep_last", context.keep_last},
              {"pin", context.pin_first ? "first" : "none"}};
  if (!context.windows.empty()) out["windows"] = context.windows;
  if (context.trim_tool_results) {
    out["trim_tool_results"] = {{"keep_last", context.trim_tool_results->keep_last},
                                {"max_bytes", context.trim_tool_results->max_bytes}};
  }
  return out;
}

std::string_view context_schema() {
  return kSchema;
}

}  // namespace holdfast::agent
