// flow plan --run: what a plan predicted, beside what the run took.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/flow_file_commands.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/url.h"
#include "explain/happened.h"
#include "protocol/flow_run.h"

namespace holdfast::app {

namespace {

using Ordered = nlohmann::ordered_json;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct RunOfFlow {
  flows::Flow flow;
  std::vector<flows::BlockSpan> spans;
  double took_ms = 0;
};

std::string text_at(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}

std::expected<flows::Flow, int> flow_of(ApiSession& api, const std::string& id) {
  auto run = api.get("/api/v1/runs/" + percent_encode(id));
  if (!run) return std::unexpected(run.error());
  const std::string agent = text_at(*run, "agent");
  if (!protocol::is_flow(agent)) {
    report_error("not_a_flow", fmt::format("{} is a run of {}", id, agent), "name a run of a flow");
    return std::unexpected(kExitUsage);
  }
  auto version = api.get(fmt::format("/api/v1/agents/{}/versions/{}", percent_encode(agent),
                                     percent_encode(text_at(*run, "version"))));
  if (!version) return std::unexpected(version.error());
  auto flow = flows::read_flow(dump_json((*version)["definition"]), agent);
  if (!flow) return std::unexpected(refuse(flow.error()));
  return *std::move(flow);
}

// Several attempts at a block are one stretch of time.
class Spans {
 public:
  void add(const Json& span) {
    const auto begun = parse_iso_time(text_at(span, "started_at"));
    const auto ended = parse_iso_time(text_at(span, "ended_at"));
    if (!begun) return;
    if (text_at(span, "kind") == "run") {
      if (text_at(span, "parent_span_id").empty() || !began_) began_ = *begun;
      if (ended) took_ms = Milliseconds(*ended - *begun).count();
      return;
    }
    Stretch& one = stretches_[text_at(span, "name")];
    one.begun = std::min(one.begun.value_or(*begun), *begun);
    if (ended) one.ended = std::max(one.ended.value_or(*ended), *ended);
    one.status = text_at(span, "status");
  }
  std::vector<flows::BlockSpan> all() const {
    std::vector<flows::BlockSpan> out;
    for (const auto& [block, one] : stretches_) {
      out.push_back({block, Milliseconds(*one.begun - began_.value_or(*one.begun)).count(),
                     one.ended ? Milliseconds(*one.ended - *one.begun).count() : 0, one.status});
    }
    return out;
  }
  double took_ms = 0;

 private:
  struct Stretch {
    std::optional<WallTime> begun, ended;
    std::string status;
  };
  std::optional<WallTime> began_;
  std::map<std::string, Stretch> stretches_;
};

std::expected<RunOfFlow, int> run_of(ApiSession& api, const std::string& id) {
  auto flow = flow_of(api, id);
  if (!flow) return std::unexpected(flow.error());
  RunOfFlow out;
  out.flow = *std::move(flow);
  Spans spans;
  const std::string path = "/api/v1/runs/" + percent_encode(id) + "/trace";
  std::string cursor;
  do {
    auto page = api.get(path + (cursor.empty() ? "" : "?cursor=" + percent_encode(cursor)));
    if (!page) return std::unexpected(page.error());
    for (const Json& span : (*page)["spans"]) spans.add(span);
    cursor = text_at(*page, "next_cursor");
  } while (!cursor.empty());
  out.spans = spans.all();
  out.took_ms = spans.took_ms;
  return out;
}

std::string ms_text(const Ordered& value) {
  return value.is_number() ? fmt::format("{:.1f} ms", value.get<double>()) : "-";
}

std::string percent_text(const Ordered& value) {
  return value.is_number() ? fmt::format("{:+.0f} %", value.get<double>()) : "-";
}

}  // namespace

int plan_of_run(const FlowHappenedOptions& options) {
  ApiSession api(options.api);
  const auto run = run_of(api, options.run);
  if (!run) return run.error();
  const Ordered told = flows::plan_and_run(run->flow, {}, run->spans, run->took_ms);
  if (options.api.json) {
    print_line(dump_json(told));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {"BLOCK", "TYPE", "ACTIVITY", "STARTS", "STARTED", "TAKES", "TOOK", "ERROR", "STATUS"}};
  for (const Ordered& row : told["blocks"]) {
    const Ordered was = row["was"].is_null() ? Ordered::object() : row["was"];
    table.push_back({row.value("block", ""), row.value("type", ""), row.value("activity", ""),
                     ms_text(row["predicted"]["starts_ms"]), ms_text(was.value("starts_ms", Ordered())),
                     ms_text(row["predicted"]["takes_ms"]), ms_text(was.value("took_ms", Ordered())),
                     percent_text(row["error_percent"]), was.value("status", "did not run")});
  }
  print_table(table);
  print_line(fmt::format("{} of {}: predicted {}, took {} ({})", told.value("planner", ""),
                         told.value("flow", ""), ms_text(told["predicted_ms"]), ms_text(told["took_ms"]),
                         percent_text(told["error_percent"])));
  return kExitOk;
}

}  // namespace holdfast::app
