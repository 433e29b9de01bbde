#include "interop/a2a_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/iso_time.h"
#include "interop/a2a_stream.h"
#include "platform/run_rules.h"

namespace holdfast::interop {

namespace {

struct TaskQuery {
  std::string agent;
  std::string context;
  std::optional<TaskState> state;
  bool no_state = false;  // one is asked for that tasks here are never in
  std::optional<WallTime> after;
  std::string token;
  std::uint32_t page_size = 50;
  bool artifacts = false;
};

struct TaskRow {
  A2aTask task;
  WallTime at{};  // of its state
};

RpcError invalid(std::string message) {
  return {kInvalidParams, std::move(message)};
}

RpcError failed(const Host& host, const Status& status) {
  const net::Problem problem = host.problem_of(status);
  return {problem.status() >= 500 ? kInternalError : kInvalidParams, problem.detail()};
}

std::expected<TaskQuery, RpcError> query_of(const A2aWords& words, const Json& params,
                                            std::string_view agent) {
  TaskQuery out;
  out.agent = agent;
  out.context = text_member(params, "contextId");
  out.token = text_member(params, "pageToken");
  out.artifacts = bool_member(params, "includeArtifacts", false);
  if (const std::string name = text_member(params, "status");
      !name.empty() && name != "TASK_STATE_UNSPECIFIED") {
    out.state = words.state_named(name);
    if (!out.state && !words.is_state(name))
      return std::unexpected(invalid(fmt::format("there is no state '{}'", name.substr(0, 100))));
    out.no_state = !out.state;
  }
  if (const std::string time = text_member(params, "statusTimestampAfter"); !time.empty()) {
    out.after = parse_iso_time(time);
    if (!out.after)
      return std::unexpected(invalid("`statusTimestampAfter` is a time as in 2026-11-21T09:00:00Z"));
  }
  const auto size = params.find("pageSize");
  if (size == params.end() || size->is_null()) return out;
  if (!size->is_number_integer() || size->get<std::int64_t>() < 1 || size->get<std::int64_t>() > kMaxTaskPage)
    return std::unexpected(invalid(fmt::format("`pageSize` is 1 to {}", kMaxTaskPage)));
  out.page_size = size->get<std::uint32_t>();
  return out;
}

bool fits(const TaskQuery& query, const TaskRow& row) {
  return (!query.state || row.task.state == *query.state) && (!query.after || row.at > *query.after);
}

// Of an open task the time is now: its state holds at this moment.
TaskRow row_of(const runs::RunSummary& summary, WallTime now) {
  TaskRow out;
  out.task.id = summary.run.run;
  out.task.context = platform::rules::conversation_of(summary.run);
  out.task.state = task_state(summary.standing.status, summary.waits_for_approval);
  const auto& outcome = summary.standing.outcome;
  // To the millisecond, as it is told.
  out.at = std::chrono::floor<std::chrono::milliseconds>(outcome ? outcome->closed_at.value_or(now) : now);
  return out;
}

// Which status narrows the list of runs; none: several have that state.
std::optional<runs::RunStatus> status_for(std::optional<TaskState> state) {
  if (!state) return std::nullopt;
  switch (*state) {
    case TaskState::kSubmitted: return runs::RunStatus::kQueued;
    case TaskState::kWorking:
    case TaskState::kInputRequired: return runs::RunStatus::kRunning;
    case TaskState::kCompleted: return runs::RunStatus::kCompleted;
    case TaskState::kCanceled: return runs::RunStatus::kCanceled;
    case TaskState::kFailed: return std::nullopt;
  }
  return std::nullopt;
}

// How the store has a run written down, as the state of its task.
TaskState state_of(std::string_view status) {
  if (status == "queued") return TaskState::kSubmitted;
  if (status == "waiting") return TaskState::kInputRequired;
  if (status == "running" || status == "paused" || status == "parked") return TaskState::kWorking;
  if (status == "completed") return TaskState::kCompleted;
  return status == "canceled" ? TaskState::kCanceled : TaskState::kFailed;
}

Result<std::int64_t> count(const Host& host, const TaskQuery& query) {
  runs::HistogramQuery all;
  all.agent = query.agent;
  all.bins = 1;
  const auto counted = host.runs->histogram(all);
  if (!counted) return fail(counted.error());
  std::int64_t out = 0;
  for (const auto& bin : counted->bins) {
    for (const auto& [status, number] : bin.counts)
      if (!query.state || state_of(status) == *query.state) out += number;
  }
  return out;
}

struct Page {
  std::vector<TaskRow> rows;
  std::string next;
  std::int64_t total = 0;
};

Result<Page> page_of_runs(const Host& host, const TaskQuery& query, WallTime now) {
  Page out;
  runs::RunQuery list;
  list.agent = query.agent;
  list.status = status_for(query.state);
  list.after = query.token;
  for (std::uint32_t looked = 0; out.rows.size() < query.page_size && looked < kMostLooked;) {
    // No more than there is room for: the page ends behind a run that it has looked at.
    list.limit = query.page_size - static_cast<std::uint32_t>(out.rows.size());
    auto page = host.runs->list(list);
    if (!page) return fail(page.error());
    for (const runs::RunSummary& summary : page->runs) {
      TaskRow row = row_of(summary, now);
      if (fits(query, row)) out.rows.push_back(std::move(row));
    }
    looked += list.limit;
    list.after = out.next = page->next;
    if (page->next.empty()) break;
  }
  const auto total = count(host, query);
  if (!total) return fail(total.error());
  out.total = *total;
  return out;
}

Result<Page> page_of_context(const Host& host, const TaskQuery& query, WallTime now) {
  const auto turns = host.runs->turns(query.context, {}, kMostInContext);
  if (!turns) return fail(turns.error());
  std::vector<std::string> runs;  // newest first
  for (const platform::Turn& turn : *turns) runs.push_back(turn.run);
  // The run that the conversation is named after is in no line; a longer one has forgotten it here.
  if (runs.size() < kMostInContext && std::ranges::find(runs, query.context) == runs.end())
    runs.push_back(query.context);
  Page out;
  bool behind = query.token.empty();
  for (const std::string& run : runs) {
    auto details = host.runs->view(run);
    if (!details && details.error().code() == Code::kNotFound) continue;
    if (!details) return fail(details.error());
    TaskRow row = row_of(details->summary, now);
    const bool is_of_agent = query.agent.empty() || details->summary.run.agent == query.agent;
    const bool is_counted = is_of_agent && fits(query, row);
    out.total += is_counted ? 1 : 0;
    if (behind && is_counted && out.rows.size() < query.page_size) {
      out.rows.push_back(std::move(row));
    } else if (behind && is_counted && out.next.empty()) {
      out.next = out.rows.back().task.id;
    }
    behind = behind || run == query.token;
  }
  return out;
}

}  // namespace

std::expected<Json, RpcError> list_tasks(const Host& host, const A2aWords& words, const Json& params,
                                         std::string_view agent) {
  const auto query = query_of(words, params, agent);
  if (!query) return std::unexpected(query.error());
  Page page;
  const WallTime now = host.environment->clock().now();
  if (!query->no_state) {
    auto read = query->context.empty() ? page_of_runs(host, *query, now) : page_of_context(host, *query, now);
    if (!read) return std::unexpected(failed(host, read.error()));
    page = *std::move(read);
  }
  Json tasks = Json::array();
  for (TaskRow& row : page.rows) {
    if (query->artifacts) {
      auto whole = read_task(host, row.task.id);
      if (!whole) return std::unexpected(failed(host, whole.error()));
      row.task = *std::move(whole);
    }
    tasks.push_back(words.task(row.task, row.at));
  }
  return Json{{"tasks", std::move(tasks)},
              {"nextPageToken", page.next},
              {"pageSize", query->page_size},
              {"totalSize", page.total}};
}

}  // namespace holdfast::interop
