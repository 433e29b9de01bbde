// runs trace: a run as a tree of what it did, with a bar for when.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/trace_commands.h"
#include "app/usage_text.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::size_t kNameWidth = 44;
constexpr int kDeepest = 8;                 // of sub-agents
constexpr std::size_t kMostChildren = 100;  // that are fetched

struct Trace {
  Json head;  // the first page, without its spans
  Json spans = Json::array();
};

std::string text_at(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}

std::expected<Trace, int> fetch(ApiSession& api, const std::string& run) {
  const std::string path = "/api/v1/runs/" + percent_encode(run) + "/trace";
  Trace out;
  std::string cursor;
  do {
    auto page = api.get(path + (cursor.empty() ? "" : "?cursor=" + percent_encode(cursor)));
    if (!page) return std::unexpected(page.error());
    for (Json& span : (*page)["spans"]) out.spans.push_back(std::move(span));
    cursor = text_at(*page, "next_cursor");
    page->erase("spans");
    if (out.head.is_null()) out.head = *std::move(page);
  } while (!cursor.empty());
  return out;
}

WallTime time_at(const Json& span, const char* name, WallTime otherwise) {
  const auto time = parse_iso_time(text_at(span, name));
  return time ? *time : otherwise;
}

std::string duration_text(std::chrono::nanoseconds time) {
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  if (ms < 10) return fmt::format("{:.1f} ms", ms);
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  if (ms < 120'000) return fmt::format("{:.2f} s", ms / 1000);
  if (ms < 2 * 3'600'000.0) return fmt::format("{:.1f} min", ms / 60'000);
  return fmt::format("{:.1f} h", ms / 3'600'000);
}

// What is between two moments of the whole, at least a dot.
std::string bar_of(WallTime begun, WallTime ended, WallTime first, WallTime last) {
  const double whole = std::max(std::chrono::duration<double>(last - first).count(), 1e-9);
  const auto place = [&](WallTime time) {
    const double part = std::chrono::duration<double>(time - first).count() / whole;
    return static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kBarWidth);
  };
  const std::size_t from = std::min(place(begun), kBarWidth - 1);
  const std::size_t to = std::max(place(ended), from + 1);
  return std::string(from, ' ') + std::string(to - from, '#') + std::string(kBarWidth - to, ' ');
}

std::string label_of(const Json& span) {
  const std::string kind = text_at(span, "kind");
  const std::string name = one_line(text_at(span, "name"));
  std::string out = kind == "run"     ? "agent " + name
                    : kind == "agent" ? "sub-agent " + name
                                      : kind + " " + name;
  if (span.contains("step")) out = fmt::format("{} {}", dump_json(span["step"]), out);
  const auto attempt = span.value("attempt", std::int64_t{0});
  if (attempt > 1) out += fmt::format(" (attempt {})", attempt);
  return out;
}

std::string notes_of(const Json& span) {
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  const std::string status = text_at(span, "status");
  if (text_at(span, "kind") == "run" && span.contains("reason")) {
    add(text_at(span, "reason"));
  } else if (status != "ok") {
    add(status);
  }
  if (span.contains("provider")) add(text_at(span, "provider"));
  if (const Json* usage = span.contains("usage") ? &span["usage"] : nullptr; usage && usage->is_object())
    add(fmt::format("{} + {} tokens", usage->value("input_tokens", 0), usage->value("output_tokens", 0)));
  if (span.contains("cost") && text_at(span, "kind") != "run") add(cost_text(span["cost"]));
  if (span.contains("instead_of")) {
    for (const Json& other : span["instead_of"]) add("instead of " + text_at(other, "name"));
  }
  if (span.contains("outcome")) add(text_at(span, "outcome"));
  if (span.contains("decided_by") && !text_at(span, "decided_by").empty())
    add("by " + text_at(span, "decided_by"));
  if (span.contains("error")) {
    const Json& error = span["error"];
    std::string text = text_at(error, "type");
    if (const std::string message = text_at(error, "message"); !message.empty())
      text += (text.empty() ? "" : ": ") + message;
    add(bounded_text(one_line(text), 160));
  }
  return one_line(out);
}

Colour colour_of(const std::string& status) {
  if (status == "ok") return Colour::kGreen;
  return status == "open" ? Colour::kBlue : Colour::kRed;
}

class Tree {
 public:
  Tree(ApiSession& api, WallTime now) : api_(api), now_(now) {}

  int print(const Trace& trace) {
    if (trace.spans.empty()) return kExitOk;
    first_ = time_at(trace.spans.front(), "started_at", now_);
    for (const Json& span : trace.spans) last_ = std::max(last_, time_at(span, "ended_at", now_));
    return print_spans(trace, 0);
  }

 private:
  // What code called stands below the step of the code, also where others went on meanwhile.
  int print_spans(const Trace& trace, int depth) {
    std::map<std::int64_t, std::vector<const Json*>> within;
    for (const Json& span : trace.spans) {
      if (const auto step = span.value("within", std::int64_t{0}); step > 0) within[step].push_back(&span);
    }
    for (const Json& span : trace.spans) {
      if (span.value("within", std::int64_t{0}) > 0) continue;
      if (const int failed = print_one(span, depth, 0); failed != kExitOk) return failed;
      if (text_at(span, "kind") != "tool") continue;
      const auto inner = within.extract(span.value("step", std::int64_t{0}));
      if (inner.empty()) continue;
      if (const int failed = print_inner(inner.mapped(), depth); failed != kExitOk) return failed;
    }
    for (const auto& [step, inner] : within) {  // of code that is too old to be there
      if (const int failed = print_inner(inner, depth); failed != kExitOk) return failed;
    }
    return kExitOk;
  }

  int print_inner(const std::vector<const Json*>& spans, int depth) {
    for (const Json* span : spans) {
      if (const int failed = print_one(*span, depth, 1); failed != kExitOk) return failed;
    }
    return kExitOk;
  }

  int print_one(const Json& span, int depth, int deeper) {
    const bool run = text_at(span, "kind") == "run";
    print_span(span, depth * 2 + (run ? 0 : 1) + deeper);
    const std::string child = text_at(span, "kind") == "agent" ? text_at(span, "run") : "";
    if (child.empty() || depth >= kDeepest || ++children_ > kMostChildren) return kExitOk;
    auto below = fetch(api_, child);
    if (!below) return below.error();
    return print_spans(*below, depth + 1);
  }

  void print_span(const Json& span, int indent) const {
    const WallTime begun = time_at(span, "started_at", now_);
    const WallTime ended = time_at(span, "ended_at", now_);
    std::string label = std::string(static_cast<std::size_t>(indent) * 2, ' ') + label_of(span);
    if (label.size() > kNameWidth) label = std::string(cut_text(label, kNameWidth - 3)) + "...";
    print_line(fmt::format("{:<{}} {:>9} |{}| {}", label, kNameWidth, duration_text(ended - begun),
                           coloured(colour_of(text_at(span, "status")), bar_of(begun, ended, first_, last_)),
                           notes_of(span)));
  }

  ApiSession& api_;
  const WallTime now_;
  WallTime first_{};
  WallTime last_{};
  std::size_t children_ = 0;
};

void print_head(const Trace& trace) {
  const Json& head = trace.head;
  const Json& totals = head["totals"];
  print_line(fmt::format("run {}, trace {}: {} model and {} tool attempts, {} retries, {} + {} tokens",
                         text_at(head, "run"), text_at(head, "trace_id"), totals.value("model_attempts", 0),
                         totals.value("tool_attempts", 0), totals.value("retries", 0),
                         totals.value("input_tokens", 0), totals.value("output_tokens", 0)));
  if (const Json& failure = head["failure"]; failure.is_object()) {
    if (failure.contains("error_type"))
      print_line(coloured(Colour::kRed, fmt::format("failed  {}: {}", text_at(failure, "reason"),
                                                    one_line(text_at(failure, "error")))));
    if (failure.contains("explanation"))
      print_line(coloured(Colour::kRed, "where   " + one_line(text_at(failure, "explanation"))));
  }
  if (!head["now"].is_array()) return;
  for (const Json& one : head["now"]) {
    std::string text = one.contains("step") ? "step " + dump_json(one["step"]) + ": " : "";
    if (const std::string name = text_at(one, "name"); !name.empty())
      text += text_at(one, "kind") + " " + name + ", ";
    print_line(coloured(Colour::kBlue, "now     " + one_line(text + text_at(one, "state") + ", since " +
                                                             text_at(one, "since"))));
  }
}

}  // namespace

int print_trace(const TraceOptions& options) {
  ApiSession api(options.api);
  auto trace = fetch(api, options.run);
  if (!trace) return trace.error();
  if (options.api.json) {
    Json out = trace->head;
    out.erase("next_cursor");
    out["spans"] = std::move(trace->spans);
    print_line(dump_json(out));
    return kExitOk;
  }
  print_head(*trace);
  Tree tree(api, std::chrono::time_point_cast<WallTime::duration>(os::SystemClock().now()));
  return tree.print(*trace);
}

}  // namespace holdfast::app
