#include "runs/schedules.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/cron.h"
#include "base/json.h"
#include "base/sha256.h"
#include "os/time_zone.h"
#include "protocol/catch_up.h"
#include "protocol/names.h"
#include "runs/runs.h"

namespace holdfast::runs {

namespace {

using namespace protocol;
using std::chrono::milliseconds;

// A run's id is this and the time that it is for, and that has its limit.
constexpr std::size_t kMaxNameBytes = 100;
constexpr std::int64_t kMaxCatchUpMs = 366LL * 24 * 60 * 60 * 1000;
constexpr const char* kOpenSchedules = "WorkflowType = 'agent.schedule' AND ExecutionStatus = 'Running'";

Status wrong(std::string what) {
  return with_fault(Code::kInvalidArgument, RunFault::kInvalidSchedule, std::move(what));
}

Status not_there(const std::string& name) {
  return with_fault(Code::kNotFound, RunFault::kScheduleNotFound,
                    fmt::format("there is no schedule '{}'", name));
}

Status found(const Status& status, const std::string& name) {
  return status.code() == Code::kNotFound ? not_there(name) : status;
}

ScheduleView view_of(const WorkflowDescription& workflow) {
  ScheduleView out;
  out.created_at = workflow.start_time;
  const auto memo = workflow.memo.find(kScheduleMemo);
  if (memo == workflow.memo.end()) return out;
  try {
    out.spec = from_payload<ScheduleSpec>(memo->second);
  } catch (const PayloadError&) {  // of a version that is yet to come
  }
  return out;
}

std::int64_t ms_of(WallTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

// What was answered to the maker of a schedule, but for what he said himself.
Json answer_of(const ScheduleView& view) {
  Json out = {{"created_ms", ms_of(view.created_at)}};
  if (view.next_at) out["next_ms"] = ms_of(*view.next_at);
  return out;
}

ScheduleView read_answer(const ScheduleSpec& spec, const Json& stored) {
  ScheduleView out;
  out.spec = spec;
  out.created_at = WallTime(milliseconds(stored.value("created_ms", std::int64_t{0})));
  if (stored.contains("next_ms")) out.next_at = WallTime(milliseconds(stored["next_ms"].get<std::int64_t>()));
  return out;
}

// The first that is kept under the key stands.
Result<platform::StepRecord> keep(platform::Store& store, const std::string& key, const Json& result) {
  platform::StepWrite step;
  step.key = key;
  step.result = dump_json(result);
  return store.commit_step(step);
}

}  // namespace

WorkflowHandle Schedules::workflow(const std::string& name) const {
  return client_.workflow(kScheduleIds + name);
}

std::optional<WallTime> Schedules::next_of(const ScheduleSpec& spec) const {
  const auto cron = parse_cron(spec.cron);
  const auto zone = os::TimeZone::load(spec.time_zone);
  return cron && zone ? zone->next(*cron, clock_.now()) : std::nullopt;
}

Status Schedules::check(const ScheduleSpec& spec) const {
  if (!is_valid_run_id(spec.name) || spec.name.size() > kMaxNameBytes)
    return wrong("the name of a schedule has 1 to 100 letters, digits, and - _ . : @");
  if (!spec.conversation.empty() && !is_valid_run_id(spec.conversation)) {
    return with_fault(Code::kInvalidArgument, RunFault::kInvalidConversation,
                      "the name of a conversation is like a run's id");
  }
  const auto cron = parse_cron(spec.cron);
  if (!cron) {
    return wrong(
        fmt::format("`{}` is no cron schedule: give five fields (minute hour day month weekday) as in "
                    "\"0 9 * * mon-fri\", or @hourly, @daily, @weekly, @monthly, @yearly",
                    spec.cron));
  }
  if (cron->overstepped) {
    return wrong(
        fmt::format("`{}` has a step that is longer than its field, so it never steps: */70 minutes would be "
                    "once an hour; write the hours out, as in \"0 */2 * * *\"",
                    spec.cron));
  }
  if (auto zone = os::TimeZone::load(spec.time_zone); !zone) return wrong(zone.error().message());
  if (!next_of(spec)) return wrong(fmt::format("`{}`: there is no such date", spec.cron));
  if (spec.catch_up_ms < kLeastCatchUpMs || spec.catch_up_ms > kMaxCatchUpMs)
    return wrong("a run may be late by ten seconds at least, by a year at most");
  return check_run(spec);
}

// One that no run can begin with would fail each time, with nobody there who made it.
Status Schedules::check_run(const ScheduleSpec& spec) const {
  const auto definition = spec.version.empty() ? store_.current_definition(spec.agent)
                                               : store_.definition(spec.agent, spec.version);
  if (definition) {
    platform::StartIntent intent;
    intent.agent = spec.agent;
    intent.definition_hash = definition->hash;
    intent.input = dump_json(spec.input);
    intent.conversation = spec.conversation;
    return may_begin_(*definition, intent);
  }
  if (definition.error().code() != Code::kNotFound) return definition.error();
  return with_fault(Code::kNotFound, RunFault::kAgentNotFound,
                    fmt::format("there is no agent '{}', or not that version of it", spec.agent));
}

Result<ScheduleView> Schedules::create(const ScheduleSpec& spec, const std::string& key) {
  if (key.empty()) {
    if (Status status = check(spec); !status.ok()) return fail(std::move(status));
    return start(spec, "");
  }
  if (key.size() > kMaxIdBytes)
    return fail(with_fault(Code::kInvalidArgument, RunFault::kInvalidKey, "the idempotency key is too long"));
  const std::string request = "schedule-key." + sha256_hex(key);
  const std::string wanted = sha256_hex(dump_json(Json(spec)));
  auto before = store_.lookup_step(request);
  if (!before) return fail(before.error());
  if (!*before) {
    if (Status status = check(spec); !status.ok()) return fail(std::move(status));
    auto kept = keep(store_, request, wanted);
    if (!kept) return fail(kept.error());
    *before = *std::move(kept);
  }
  if ((*before)->result != dump_json(Json(wanted))) {
    return fail(with_fault(Code::kAlreadyExists, RunFault::kKeyUsed,
                           "another schedule was made with this Idempotency-Key"));
  }
  const std::string answer = request + ".made";
  auto made = store_.lookup_step(answer);
  if (!made) return fail(made.error());
  if (*made) return read_answer(spec, parse_json((*made)->result));
  // Who sent it before may not have come this far: the engine knows the request again.
  auto view = start(spec, request);
  if (!view) return view;
  auto kept = keep(store_, answer, answer_of(*view));
  if (!kept) return fail(kept.error());
  return read_answer(spec, parse_json(kept->result));
}

Result<ScheduleView> Schedules::start(const ScheduleSpec& spec, const std::string& request_id) const {
  ScheduleInput input;
  input.spec = spec;
  StartOptions options(kScheduleIds + spec.name, kAgentQueue);
  Memo memo;
  memo[kScheduleMemo] = to_payload(spec);
  options.memo(std::move(memo));
  if (!request_id.empty()) options.request_id(request_id);
  auto started = client_.start(kScheduleType, options, input);
  if (!started && started.error().code() == Code::kAlreadyExists) {
    return fail(with_fault(Code::kAlreadyExists, RunFault::kScheduleExists,
                           fmt::format("there is a schedule '{}' already", spec.name)));
  }
  if (!started) return fail(started.error());
  ScheduleView out;
  out.spec = spec;
  out.next_at = next_of(spec);
  out.created_at = clock_.now();
  return out;
}

Result<SchedulePage> Schedules::list(const std::string& after, std::uint32_t limit) const {
  auto page = client_.list(kOpenSchedules, limit, after);
  if (!page) return fail(page.error());
  SchedulePage out;
  out.next = page->next_page_token;
  for (const WorkflowDescription& workflow : page->workflows) {
    ScheduleView view = view_of(workflow);
    view.next_at = next_of(view.spec);
    out.schedules.push_back(std::move(view));
  }
  return out;
}

Result<ScheduleView> Schedules::show(const std::string& name) const {
  if (!is_valid_run_id(name)) return fail(not_there(name));
  const WorkflowHandle schedule = workflow(name);
  auto described = schedule.describe();
  if (!described) return fail(found(described.error(), name));
  if (described->status != WorkflowStatus::kRunning) return fail(not_there(name));
  ScheduleView out = view_of(*described);
  if (auto state = schedule.query<ScheduleState>(kScheduleQuery)) out.state = std::move(*state);
  if (!out.state || !out.state->paused) out.next_at = next_of(out.spec);
  return out;
}

Status Schedules::pause(const std::string& name, const std::string& note) const {
  PauseInput in;
  in.note = note;
  return found(workflow(name).signal(kSchedulePause, in), name);
}

Status Schedules::resume(const std::string& name) const {
  return found(workflow(name).signal(kScheduleResume), name);
}

Status Schedules::trigger(const std::string& name, const std::string& key) const {
  if (key.empty()) return found(workflow(name).signal(kScheduleTrigger), name);
  if (key.size() > kMaxIdBytes)
    return with_fault(Code::kInvalidArgument, RunFault::kInvalidKey, "the idempotency key is too long");
  TriggerInput in;
  in.id = sha256_hex(key).substr(0, 32);
  const std::string request = "schedule-trigger." + sha256_hex(key);
  auto before = store_.lookup_step(request);
  if (!before) return before.error();
  if (!*before) {
    if (auto there = show(name); !there) return there.error();
    auto kept = keep(store_, request, name);
    if (!kept) return kept.error();
    *before = *std::move(kept);
  }
  if ((*before)->result != dump_json(Json(name))) {
    return with_fault(Code::kAlreadyExists, RunFault::kKeyUsed,
                      "another schedule was triggered with this Idempotency-Key");
  }
  const std::string answer = request + ".done";
  const auto done = store_.lookup_step(answer);
  if (!done) return done.error();
  if (*done) return {};
  // Whoever sent it before may not have come this far: the schedule knows the id again.
  if (Status status = found(workflow(name).signal(kScheduleTrigger, in), name); !status.ok()) return status;
  const auto kept = keep(store_, answer, Json::object());
  return kept ? Status() : kept.error();
}

Status Schedules::erase(const std::string& name) const {
  if (auto there = show(name); !there) return there.error();
  return found(workflow(name).terminate("the schedule was deleted"), name);
}

}  // namespace holdfast::runs
