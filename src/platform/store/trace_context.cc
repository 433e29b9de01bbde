#include "platform/trace_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::platform {

namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
constexpr int kMostRunsUp = 64;  // a chain of callers is shorter

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::string span_id(std::string_view trace_id, std::string_view run, std::string_view what) {
  return sha256_hex(fmt::format("span\n{}\n{}\n{}", trace_id, run, what)).substr(0, kSpanDigits);
}

// The run at the top.
Result<std::string> root_of(Store& store, std::string_view run) {
  std::string root(run);
  for (int up = 0; up < kMostRunsUp; ++up) {
    auto account = store.account(root);
    if (!account) return fail(account.error());
    if (!*account || (*account)->parent.empty()) break;
    root = (*account)->parent;
  }
  return root;
}

}  // namespace

std::string TraceContext::traceparent(std::string_view span_id) const {
  return fmt::format("00-{}-{}-{}", trace_id, span_id, sampled ? "01" : "00");
}

// version-trace-parent-flags; a later version may say more behind them.
std::optional<TraceContext> parse_trace(std::string_view text, std::string_view tracestate) {
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return std::nullopt;
  const std::string_view flags = text.substr(53, 2);
  TraceContext out;
  out.trace_id = text.substr(3, kTraceDigits);
  out.parent_id = text.substr(36, kSpanDigits);
  if (!is_id(out.trace_id) || !is_id(out.parent_id) || !is_hex(flags)) return std::nullopt;
  out.given = true;
  const char low = flags[1];
  out.sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
  const bool plain = std::ranges::all_of(tracestate, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain && tracestate.size() <= kMaxTraceState) out.state = tracestate;
  return out;
}

std::optional<TraceContext> trace_in(std::string_view settings) {
  if (settings.find(kTraceSetting) == std::string_view::npos) return std::nullopt;
  const auto json = parse_json<nlohmann::json>(settings);
  if (!json.is_object() || !json.contains(kTraceSetting)) return std::nullopt;
  const auto& trace = json[std::string(kTraceSetting)];
  if (!trace.is_object()) return std::nullopt;
  return parse_trace(trace.value("traceparent", ""), trace.value("tracestate", ""));
}

std::string run_span_id(std::string_view trace_id, std::string_view run) {
  return span_id(trace_id, run, "");
}

std::string step_span_id(std::string_view trace_id, std::string_view run, std::uint32_t step,
                         std::int64_t attempt) {
  return span_id(trace_id, run, fmt::format("{}/{}", step, attempt));
}

std::string named_span_id(std::string_view trace_id, std::string_view run, std::string_view name) {
  return span_id(trace_id, run, name);
}

Result<TraceContext> trace_of(Store& store, std::string_view run) {
  auto root = root_of(store, run);
  if (!root) return fail(root.error());
  auto settings = store.run_settings(*root);
  if (!settings) return fail(settings.error());
  if (auto given = trace_in(*settings)) return *std::move(given);
  // Another server may have a run of the same id; hardly one that began in the same nanosecond.
  auto record = store.run(*root);
  if (!record && record.error().code() != Code::kNotFound) return fail(record.error());
  const auto begun = record ? record->created_at.time_since_epoch().count() : 0;
  TraceContext out;
  out.trace_id = sha256_hex(fmt::format("trace\n{}\n{}", *root, begun)).substr(0, kTraceDigits);
  return out;
}

}  // namespace holdfast::platform
