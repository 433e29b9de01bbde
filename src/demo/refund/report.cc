#include "refund/report.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include <fmt/format.h>

#include "base/text.h"
#include "refund/agent_files.h"

namespace holdfast::demo {

namespace {

std::optional<std::int64_t> milliseconds_between(std::optional<MonotonicTime> from,
                                                 std::optional<MonotonicTime> to) {
  if (!from || !to) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*to - *from).count();
}

std::string shortened(std::string text, std::size_t most) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() <= most) return text;
  return std::string(cut_text(text, most - 3)) + "...";
}

int count_type(const Facts& facts, std::string_view type) {
  return static_cast<int>(std::count_if(facts.events.begin(), facts.events.end(),
                                        [&](const RunEvent& event) { return event.type == type; }));
}

std::string result_of(const RunEvent& event) {
  if (event.data.value("kind", "") != "model") return event.data.value("result", "");
  std::size_t calls = event.data.value("tool_calls", Json::array()).size();
  std::string text = event.data.value("text", "");
  return calls == 0 ? text : fmt::format("{} ({} tool call{})", text, calls, calls == 1 ? "" : "s");
}

}  // namespace

std::optional<RunEvent> run_event(rest::Event event) {
  if (!event.data.is_object()) return std::nullopt;
  const auto seq = event.data.value("seq", std::uint64_t{0});
  if (seq == 0) return std::nullopt;  // text that is not durable yet
  return RunEvent{.type = std::move(event.type),
                  .seq = seq,
                  .at = event.data.value("at", ""),
                  .data = event.data.value("data", Json()),
                  .seen = event.seen};
}

std::map<int, StepRow> fold_steps(const std::vector<RunEvent>& events) {
  std::map<int, StepRow> steps;
  for (const RunEvent& event : events) {
    if (!event.type.starts_with("step.") || !event.data.contains("step")) continue;
    StepRow& row = steps[event.data.value("step", 0)];
    row.number = event.data.value("step", 0);
    if (event.data.contains("kind")) row.kind = event.data.value("kind", "");
    if (event.data.contains("name")) row.name = event.data.value("name", "");
    if (event.type == "step.started") {
      row.arguments = event.data.value("arguments", "");
      ++row.starts;
      if (row.completed) ++row.starts_after_end;
    } else if (event.type == "step.completed") {
      row.completed = true;
      row.failed = event.data.value("is_error", false);
      row.result = result_of(event);
    } else if (event.type == "step.failed") {
      row.failed = true;
      row.result = event.data.value("error", "");
    }
  }
  return steps;
}

std::vector<Check> check(const Facts& facts) {
  std::vector<Check> out;
  auto add = [&](std::string what, bool ok, std::string seen) {
    out.push_back({std::move(what), ok, std::move(seen)});
  };
  const auto steps = fold_steps(facts.events);
  int completed = 0, again = 0, retried = 0;
  for (const auto& [number, row] : steps) {
    if (number <= kSteps && row.completed && !row.failed) ++completed;
    again += row.starts_after_end;
    if (row.starts > 1) ++retried;
  }
  if (!facts.failure.empty()) add("the demo came to its end", false, facts.failure);
  if (!facts.failure.empty() && facts.events.empty())
    return out;  // it never began: the rest would say nothing
  add("the server died of SIGKILL in mid-run", facts.killed_by_signal == SIGKILL,
      facts.killed_by_signal == SIGKILL ? fmt::format("pid {}, {}", facts.killed_pid, facts.kill_point)
                                        : fmt::format("signal {}", facts.killed_by_signal));
  add("the run finished", facts.status == "completed", facts.status.empty() ? "unknown" : facts.status);
  add("all ten steps completed", completed == kSteps, fmt::format("{} of {}", completed, kSteps));
  add("no completed step ran again", again == 0,
      fmt::format("{} ran again; {} interrupted in the middle and repeated", again, retried));
  add("the refund is in the database exactly once",
      facts.after.refunds_of_order == 1 && facts.after.refunds == facts.before.refunds + 1 &&
          std::abs(facts.after.refunded_of_order - kTotal) < 0.005,
      fmt::format("{} row{} for order {}, {:.2f} EUR; order is {}", facts.after.refunds_of_order,
                  facts.after.refunds_of_order == 1 ? "" : "s", kOrder, facts.after.refunded_of_order,
                  facts.after.order_status));
  bool channels = true;
  for (const char* channel : {"support", "finance", "customer"}) {
    channels =
        channels && std::count_if(facts.messages.begin(), facts.messages.end(),
                                  [&](const auto& message) { return message.channel == channel; }) == 1;
  }
  add("each message took effect exactly once", channels && facts.messages.size() == kMessages,
      fmt::format("{} raw deliveries, {} distinct effects", facts.deliveries, facts.messages.size()));
  int approved = 0;
  for (const Json& approval : facts.approvals) approved += approval.value("status", "") == "approved" ? 1 : 0;
  add("one approval was asked for and given", approved == 1 && facts.approvals.size() == 1,
      fmt::format("{} asked, {} approved", facts.approvals.size(), approved));
  add("the event stream resumed where it was", count_type(facts, "reset") == 0 && facts.events.size() > 0,
      fmt::format("{} events, none lost or repeated", facts.events.size()));
  bool in_order = true;
  for (std::size_t i = 0; i < facts.events.size(); ++i) in_order = in_order && facts.events[i].seq == i + 1;
  out.back().ok = out.back().ok && in_order;
  if (!out.back().ok) out.back().seen = fmt::format("{} events, with a gap or a reset", facts.events.size());
  return out;
}

bool all_hold(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& one) { return one.ok; });
}

namespace {

class Printer {
 public:
  explicit Printer(bool colour) : colour_(colour) {}
  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  std::string dim(const std::string& text) const { return paint("2", text); }
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string good(const std::string& text) const { return paint("32", text); }
  std::string bad(const std::string& text) const { return paint("31;1", text); }

 private:
  bool colour_;
};

// {"order_id":1042} as "order_id: 1042".
std::string pretty_object(const Json& object) {
  std::string out;
  for (const auto& [name, value] : object.items()) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name,
                       value.is_string() ? value.get<std::string>() : value.dump());
  }
  return out;
}

std::string pretty_call(const StepRow& row) {
  if (row.kind == "model") return row.name;
  Json arguments = Json::parse(row.arguments, nullptr, false);
  return fmt::format("{}({})", row.name, arguments.is_object() ? pretty_object(arguments) : row.arguments);
}

std::string pretty_result(const StepRow& row) {
  Json result = Json::parse(row.result, nullptr, false);
  if (!result.is_object() || !result.contains("rows")) return row.result;
  if (result.contains("changes")) return fmt::format("{} rows changed", result["changes"].dump());
  const Json& rows = result["rows"];
  return rows.size() == 1 ? pretty_object(rows[0]) : fmt::format("{} rows", rows.size());
}

std::string kind_name(const StepRow& row) {
  if (row.kind == "model") return "think";
  if (row.kind == "http") return "message";
  return row.name == "issue_refund" ? "refund" : "query";
}

void print_steps(const Facts& facts, const Printer& out) {
  const auto steps = fold_steps(facts.events);
  // The kill stands before the first step that had not completed by then.
  std::vector<RunEvent> before;
  for (const RunEvent& event : facts.events) {
    if (event.seq <= facts.seq_at_kill) before.push_back(event);
  }
  const auto known = fold_steps(before);
  bool kill_shown = facts.killed_pid == 0;
  for (const auto& [number, row] : steps) {
    auto then = known.find(number);
    if (!kill_shown && (then == known.end() || !then->second.completed)) {
      kill_shown = true;
      fmt::print("  {}\n", out.bad(fmt::format("   *  SIGKILL  {}", facts.kill_point)));
    }
    std::string attempts = row.starts > 1 ? fmt::format("{} attempts", row.starts) : "";
    if (number > kSteps) {
      fmt::print("  {:>4}  {}\n", "", out.dim("answer   " + shortened(row.result, 100)));
      continue;
    }
    fmt::print("  {:>4}  {:<8} {:<42} {} {}\n", number, kind_name(row), shortened(pretty_call(row), 42),
               out.dim(shortened(pretty_result(row), 56)), attempts);
  }
}

void print_recovery(const Facts& facts) {
  auto ready = milliseconds_between(facts.killed_at, facts.ready_at);
  auto step = milliseconds_between(facts.killed_at, facts.next_step_at);
  fmt::print("  recovery   server ready {} ms after the kill (pid {} -> {}), {}\n", ready.value_or(-1),
             facts.killed_pid, facts.new_pid,
             facts.waited_for_person ? "run waiting for the approval as before"
                                     : fmt::format("next step after {} ms", step.value_or(-1)));
}

}  // namespace

void print_text(const Facts& facts, const std::vector<Check>& checks, bool colour) {
  Printer out(colour);
  fmt::print("\n  {}\n\n", out.bold("A refund agent loses its server in mid-run"));
  print_steps(facts, out);
  fmt::print("\n");
  if (facts.killed_at) print_recovery(facts);
  fmt::print("  database   {} refunds before, {} after; order {}: {} refund, {:.2f} EUR\n",
             facts.before.refunds, facts.after.refunds, kOrder, facts.after.refunds_of_order,
             facts.after.refunded_of_order);
  fmt::print("  receiver   {} raw deliveries, {} distinct effects\n", facts.deliveries,
             facts.messages.size());
  for (const Receiver::Message& message : facts.messages) {
    fmt::print("             {} {:<9} {}\n", out.dim(fmt::format("{}x", message.deliveries)), message.channel,
               out.dim(shortened(message.text, 70)));
  }
  fmt::print("\n");
  for (const Check& one : checks) {
    fmt::print("  {}  {:<46} {}\n", one.ok ? out.good("ok  ") : out.bad("FAIL"), one.what, out.dim(one.seen));
  }
  const auto failed = std::count_if(checks.begin(), checks.end(), [](const Check& one) { return !one.ok; });
  if (failed == 0) {
    fmt::print("\n  {}\n\n",
               out.good(fmt::format("All {} checks hold. {:.1f} s.", checks.size(), facts.seconds)));
  } else {
    fmt::print(
        "\n  {}\n  Everything is kept in {}\n\n",
        out.bad(fmt::format("{} of {} checks failed. {:.1f} s.", failed, checks.size(), facts.seconds)),
        facts.directory);
  }
}

Json to_json(const Facts& facts, const std::vector<Check>& checks) {
  Json steps = Json::array();
  int again = 0;
  for (const auto& [number, row] : fold_steps(facts.events)) {
    again += row.starts_after_end;
    steps.push_back({{"step", number},
                     {"kind", row.kind},
                     {"name", row.name},
                     {"arguments", row.arguments},
                     {"result", row.result},
                     {"attempts", row.starts},
                     {"completed", row.completed}});
  }
  Json messages = Json::array();
  for (const Receiver::Message& message : facts.messages) {
    messages.push_back(
        {{"channel", message.channel}, {"text", message.text}, {"deliveries", message.deliveries}});
  }
  Json list = Json::array();
  for (const Check& one : checks) list.push_back({{"check", one.what}, {"ok", one.ok}, {"seen", one.seen}});
  auto optional = [](std::optional<std::int64_t> value) { return value ? Json(*value) : Json(); };
  return {{"ok", all_hold(checks)},
          {"run", facts.run},
          {"engine", facts.engine},
          {"kill_at", facts.kill_point},
          {"steps", steps},
          {"completed_steps_that_ran_again", again},
          {"recovery",
           {{"ready_ms", optional(milliseconds_between(facts.killed_at, facts.ready_at))},
            {"next_step_ms", facts.waited_for_person
                                 ? Json()
                                 : optional(milliseconds_between(facts.killed_at, facts.next_step_at))},
            {"waited_for_approval", facts.waited_for_person}}},
          {"receiver",
           {{"raw_deliveries", facts.deliveries},
            {"distinct_effects", facts.messages.size()},
            {"messages", messages}}},
          {"database",
           {{"refunds_before", facts.before.refunds},
            {"refunds_after", facts.after.refunds},
            {"refunds_of_order", facts.after.refunds_of_order},
            {"refunded_of_order", facts.after.refunded_of_order}}},
          {"output", facts.output},
          {"checks", list},
          {"directory", facts.directory},
          {"seconds", facts.seconds}};
}

}  // namespace holdfast::demo
