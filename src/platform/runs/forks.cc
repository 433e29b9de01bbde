#include "runs/forks.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "platform/budget_rules.h"
#include "platform/find_version.h"
#include "platform/run_environment.h"
#include "platform/trace_context.h"
#include "protocol/agent_reference.h"
#include "protocol/events.h"
#include "protocol/flow_run.h"
#include "protocol/undo.h"
#include "protocol/words.h"
#include "runs/fork_parent.h"
#include "runs/run_outcome.h"

namespace holdfast::runs {

namespace {

using protocol::Fork;
using Json = nlohmann::json;

constexpr std::string_view kFaultDetail = "holdfast/fork-fault";
constexpr std::string_view kNearestDetail = "holdfast/fork-nearest";

constexpr int kMaxEventPages = 100;  // that are looked through for what was taken back

const StatusDetail* detail_of(const Status& status, std::string_view type) {
  for (const auto& detail : status.details()) {
    if (detail.type_url == type) return &detail;
  }
  return nullptr;
}

using protocol::Word;
constexpr protocol::Words kFates("fate of a call",
                                 {Word{CallFate::kReuse, "reuse"}, Word{CallFate::kMake, "make"},
                                  Word{CallFate::kAsk, "ask"}, Word{CallFate::kDeny, "deny"},
                                  Word{CallFate::kUnknownTool, "unknown_tool"}});

bool has_failed(const RunDetails& run) {
  if (!is_closed(run.summary.standing.status))
    return run.summary.held && run.summary.held->kind == protocol::HoldKind::kParked;
  const auto& outcome = run.summary.standing.outcome;
  return !outcome || has_work_left(*outcome);
}

Json inherited_json(const platform::UsageTotal& used) {
  return {{"calls", used.calls},
          {"input_tokens", used.input_tokens},
          {"output_tokens", used.output_tokens},
          {"cached_input_tokens", used.cached_input_tokens},
          {"cache_write_tokens", used.cache_write_tokens},
          {"reasoning_tokens", used.reasoning_tokens},
          {"cost", used.cost},
          {"unpriced_calls", used.unpriced_calls},
          {"uncounted_calls", used.uncounted_calls},
          {"price_as_of", used.price_as_of}};
}

// The same request is the same fork, whenever it is made and by whom.
std::string hash_of(const ForkRequest& request) {
  Json out = {{"run", request.run}, {"version", request.version}};
  const ForkPlace& at = request.at;
  if (at.message) out["message"] = *at.message;
  if (at.turn) out["turn"] = *at.turn;
  if (at.step) out["step"] = *at.step;
  if (at.start) out["start"] = true;
  if (at.failed) out["failed"] = true;
  if (request.prompt) out["edit"] = {{"prompt", *request.prompt}};
  if (request.message) out["edit"] = {{"message", *request.message}};
  if (request.answer) out["edit"] = {{"answer", *request.answer}};
  return sha256_hex(dump_json(out));
}

// As the run that is forked was started, but in a trace of its own.
std::string settings_for(const std::string& stored, const Fork& fork) {
  Json out = stored.empty() ? Json::object() : parse_json<Json>(stored);
  if (!out.is_object()) out = Json::object();
  out.erase(std::string(platform::kTraceSetting));
  out[std::string(protocol::kForkSetting)] = fork;
  return dump_json(out);
}

}  // namespace

std::string_view to_string(CallFate fate) {
  return kFates.text(fate);
}

ForkFault fork_fault(const Status& status) {
  const StatusDetail* detail = detail_of(status, kFaultDetail);
  if (detail == nullptr || detail->value.size() != 1) return ForkFault::kNone;
  return static_cast<ForkFault>(detail->value[0]);
}

std::optional<std::uint64_t> nearest_place(const Status& status) {
  const StatusDetail* detail = detail_of(status, kNearestDetail);
  if (detail == nullptr) return std::nullopt;
  return std::stoull(detail->value);
}

Status with_fork_fault(Code code, ForkFault fault, std::string message,
                       std::optional<std::uint64_t> nearest) {
  Status out = Status(code, std::move(message))
                   .with_detail(std::string(kFaultDetail), std::string(1, static_cast<char>(fault)));
  if (nearest) out.with_detail(std::string(kNearestDetail), std::to_string(*nearest));
  return out;
}

platform::UsageTotal inherited_by(const Fork& fork) {
  platform::UsageTotal out;
  if (!fork.inherited.is_object()) return out;
  const auto number = [&](const char* name) { return fork.inherited.value(name, std::int64_t{0}); };
  out.calls = number("calls");
  out.input_tokens = number("input_tokens");
  out.output_tokens = number("output_tokens");
  out.cached_input_tokens = number("cached_input_tokens");
  out.cache_write_tokens = number("cache_write_tokens");
  out.reasoning_tokens = number("reasoning_tokens");
  out.cost = number("cost");
  out.unpriced_calls = number("unpriced_calls");
  out.uncounted_calls = number("uncounted_calls");
  out.price_as_of = fork.inherited.value("price_as_of", "");
  return out;
}

// ---- the run that is forked

Result<Forks::Parent> Forks::parent_of(const std::string& run, bool may_be_sub_agent) {
  auto details = runs_.view(run);
  if (!details) return fail(details.error());
  auto record = store_.run(run);
  if (!record && record.error().code() != Code::kNotFound) return fail(record.error());
  if (!record && !may_be_sub_agent) {
    return fail(with_fork_fault(Code::kFailedPrecondition, ForkFault::kSubAgent,
                                fmt::format("run '{}' is a sub-agent's; fork the run that called it", run)));
  }
  if (details->summary.standing.history_deleted) {
    return fail(with_fork_fault(
        Code::kFailedPrecondition, ForkFault::kHistoryDeleted,
        fmt::format("the history of run '{}' was deleted, and with it where it came to", run)));
  }
  auto unkept = store_.unkept_run(run);
  if (!unkept) return fail(unkept.error());
  if (*unkept) {
    return fail(with_fork_fault(Code::kFailedPrecondition, ForkFault::kHistoryDeleted,
                                fmt::format("nothing of run '{}' is kept from which one could go on", run)));
  }
  auto span = branches_.run_span(run);
  if (!span) return fail(span.error());
  if (!*span &&
      (protocol::is_flow(details->summary.run.agent) || is_closed(details->summary.standing.status))) {
    return fail(with_fork_fault(
        Code::kFailedPrecondition, ForkFault::kNoConversation,
        fmt::format("run '{}' has no conversation, from which another one could go on, or differ", run)));
  }
  if (!*span) {
    return fail(with_fork_fault(Code::kFailedPrecondition, ForkFault::kNotBegun,
                                fmt::format("run '{}' has not begun: there is nothing to fork yet", run)));
  }
  auto origin = store_.origin(run);
  if (!origin) return fail(origin.error());
  Parent out{.details = *std::move(details),
             .span = **span,
             .fork = std::nullopt,
             .begun = 0,
             .closed = false,
             .points = Points(store_, (*span)->last)};
  out.fork = protocol::fork_in(out.details.settings);
  out.begun = out.span.first.sequence;
  out.closed = is_closed(out.details.summary.standing.status);
  // One that took up another began where that ended, and its first step may be its first answer.
  const Json state = *origin ? parse_json<Json>((*origin)->state) : Json();
  if (state.is_object() && state.contains("conversation"))
    out.begun = state["conversation"].get<protocol::ConversationRef>().sequence;
  return out;
}

// ---- where

Result<std::uint64_t> Forks::message_of_step(const Parent& parent, std::uint64_t step) {
  const Json steps = parse_json<Json>(parent.details.progress.steps_json);
  std::optional<std::uint64_t> message;
  bool there = false;
  for (const Json& one : steps) {
    const auto number = one.find("step");
    if (number == one.end() || !number->is_number_unsigned() || *number > step) continue;
    there = there || *number == step;
    if (one.contains("message") && one["message"].is_number_unsigned())
      message = one["message"].get<std::uint64_t>();
    if (*number == step && one.value("kind", "") == "model" && !one.contains("message")) message.reset();
  }
  if (there && message) return *message;
  auto nearest = parent.points.whole_before(parent.points.last());
  if (!nearest) return fail(nearest.error());
  return fail(
      with_fork_fault(Code::kOutOfRange, ForkFault::kNoPlace,
                      there ? fmt::format("step {} of run '{}' has said nothing: name a message or a turn",
                                          step, parent.record().run)
                            : fmt::format("run '{}' has no step {}", parent.record().run, step),
                      *nearest));
}

Result<std::uint64_t> Forks::place_in(const Parent& parent, const ForkPlace& at) {
  const std::uint64_t last = parent.points.last();
  if (at.start) return parent.begun;
  if (at.failed && !has_failed(parent.details)) {
    return fail(with_fork_fault(Code::kFailedPrecondition, ForkFault::kNothingFailed,
                                fmt::format("nothing of run '{}' has failed: it is {}", parent.record().run,
                                            to_string(parent.details.summary.standing.status))));
  }
  if (at.step) {
    auto message = message_of_step(parent, *at.step);
    return message ? parent.points.end_of_turn(*message) : message;
  }
  if (at.message && *at.message <= last) return *at.message;
  if (!at.message && !at.turn)
    return parent.closed ? Result<std::uint64_t>(last) : parent.points.whole_before(last);

  std::optional<std::uint64_t> answer;  // of the turn
  std::uint64_t turns = 0;
  if (at.turn && *at.turn == 0) return parent.begun;
  if (at.turn) {
    Status read = parent.points.each(parent.begun + 1, [&](const Line& line) {
      if (line.speaker != Speaker::kAssistant) return true;
      if (++turns == *at.turn) answer = line.sequence;
      return !answer;
    });
    if (!read.ok()) return fail(std::move(read));
  }
  if (answer) return parent.points.end_of_turn(*answer);
  auto nearest = parent.points.whole_before(last);
  if (!nearest) return nearest;
  return fail(with_fork_fault(Code::kOutOfRange, ForkFault::kNoPlace,
                              at.turn ? fmt::format("run '{}' has {} turns so far, and no turn {}",
                                                    parent.record().run, turns, *at.turn)
                                      : fmt::format("run '{}' has {} messages so far, and no message {}",
                                                    parent.record().run, last, *at.message),
                              *nearest));
}

// ---- what is different

Status Forks::edit_prompt(const ForkRequest& request, const Parent& parent, Fork& fork) {
  ForkPlace at = request.at;
  if (!at.message && !at.turn && !at.step && !at.failed) at.start = true;
  auto place = place_in(parent, at);
  if (!place) return place.error();
  std::optional<std::uint64_t> user;  // the nearest before
  for (std::uint64_t sequence = *place; sequence > 0 && !user; --sequence) {
    auto line = parent.points.at(sequence);
    if (!line) return line.error();
    if (line->speaker == Speaker::kUser) user = sequence;
  }
  if (user != *place) {
    return with_fork_fault(Code::kFailedPrecondition, ForkFault::kNotThatMessage,
                           fmt::format("message {} is not a user's: there is no prompt to edit", *place),
                           user);
  }
  auto reference = parent.points.reference(*place - 1);
  if (!reference) return reference.error();
  fork.at = *std::move(reference);
  fork.message = *request.prompt;
  fork.edit = "prompt";
  return {};
}

Status Forks::edit_answer(const ForkRequest& request, const Parent& parent, Fork& fork) {
  const bool anywhere =
      !request.at.message && !request.at.turn && !request.at.step && !request.at.start && !request.at.failed;
  auto place = anywhere ? Result<std::uint64_t>(parent.points.last()) : place_in(parent, request.at);
  if (!place) return place.error();
  std::vector<std::pair<std::uint64_t, std::size_t>> turns;  // that have it, and how many calls they have
  Status read = parent.points.each(1, [&](const Line& line) {
    for (const AskedCall& call : line.calls) {
      if (call.id == request.answer->call) turns.emplace_back(line.sequence, line.calls.size());
    }
    return line.sequence < *place;
  });
  if (!read.ok()) return read;
  if (turns.empty()) {
    return with_fork_fault(
        Code::kNotFound, ForkFault::kCallNotFound,
        fmt::format("up to message {} there is no call '{}'", *place, request.answer->call));
  }
  if (anywhere && turns.size() > 1) {
    return {Code::kInvalidArgument, fmt::format("{} calls have the id '{}': say at which message",
                                                turns.size(), request.answer->call)};
  }
  const auto [turn, calls] = turns.back();
  auto end = parent.points.end_of_turn(turn);
  if (!end) return end.error();
  if (*end - turn != calls) {
    auto nearest = parent.points.whole_before(turn);
    if (!nearest) return nearest.error();
    return with_fork_fault(Code::kFailedPrecondition, ForkFault::kInsideTurn,
                           fmt::format("the calls of message {} do not all have an answer yet", turn),
                           *nearest);
  }
  auto from = parent.points.reference(turn);
  if (!from) return from.error();
  auto until = parent.points.reference(*end);
  if (!until) return until.error();
  fork.at = *std::move(from);
  fork.answers = *std::move(until);
  fork.edited = request.answer;
  fork.edit = "tool_result";
  return {};
}

Status Forks::keep_place(const ForkRequest& request, const Parent& parent, Fork& fork) {
  auto place = place_in(parent, request.at);
  if (!place) return place.error();
  auto whole = parent.points.is_whole(*place);
  if (!whole) return whole.error();
  // What a run that is over has not heard, the ledger may know.
  fork.known = !*whole && parent.closed && *place == parent.points.last();
  if (!*whole && !fork.known) {
    auto nearest = parent.points.whole_before(*place);
    if (!nearest) return nearest.error();
    return with_fork_fault(
        Code::kFailedPrecondition, ForkFault::kInsideTurn,
        fmt::format("behind message {} calls would have no answer: the nearest place is message {}", *place,
                    *nearest),
        *nearest);
  }
  auto reference = parent.points.reference(*place);
  if (!reference) return reference.error();
  fork.at = *std::move(reference);
  if (request.message) {
    fork.message = *request.message;
    fork.edit = "message";
    return {};
  }
  if (!request.version.empty()) fork.edit = "version";
  if (fork.known) return {};
  bool asked = *place > 0;  // there is something to answer
  if (asked) {
    auto line = parent.points.at(*place);
    if (!line) return line.error();
    asked = line->speaker != Speaker::kAssistant;
  }
  if (asked) return {};
  return with_fork_fault(Code::kFailedPrecondition, ForkFault::kNothingToSay,
                         fmt::format("at message {} there is nothing left to answer: say something with the "
                                     "fork (`message`), or fork before it",
                                     *place));
}

Result<std::string> Forks::version_of(const ForkRequest& request, const platform::RunRecord& run) {
  if (request.version.empty()) return run.definition_hash;
  auto found = request.version == "current" ? store_.current_definition(run.agent)
                                            : platform::find_version(store_, run.agent, request.version);
  if (found) return found->hash;
  if (found.error().code() != Code::kNotFound) return fail(found.error());
  return fail(with_fault(Code::kNotFound, RunFault::kVersionNotFound,
                         fmt::format("agent '{}' has no version or label '{}'", run.agent, request.version)));
}

// Of forks of forks, up to where what is known of it stands in the settings of one.
Result<platform::UsageTotal> Forks::used_until(const Parent& parent, std::uint64_t sequence) {
  platform::UsageTotal out;
  std::string run = parent.record().run;
  std::optional<Fork> fork = parent.fork;
  for (int depth = 0; depth <= kMaxForkDepth; ++depth) {
    auto used = branches_.usage_until(run, sequence);
    if (!used) return used;
    platform::rules::add_total(out, *used);
    if (!fork) break;
    if (sequence >= fork->at.sequence) {
      platform::rules::add_total(out, inherited_by(*fork));
      break;
    }
    run = fork->run;
    auto settings = store_.run_settings(run);
    if (!settings) return fail(settings.error());
    fork = protocol::fork_in(*settings);
  }
  return out;
}

// What the model would take for done. Of a run that is open, or succeeded, nothing is taken back.
Result<std::vector<std::string>> Forks::undone_before(const Parent& parent, std::uint64_t sequence) {
  std::vector<std::string> out;
  if (!parent.closed || parent.details.summary.standing.status == RunStatus::kCompleted) return out;
  std::string cursor;
  for (int pages = 0; pages < kMaxEventPages; ++pages) {
    auto page = runs_.events(parent.record().run, cursor, platform::kMaxPage);
    if (!page) return fail(page.error());
    for (const platform::Event& event : page->events) {
      if (event.type != protocol::event::kEffectUndone) continue;
      const Json data = parse_json<Json>(event.data);
      if (!data.is_object() || !data.contains("step") || !data["step"].is_number_unsigned()) continue;
      const auto step = data["step"].get<std::uint64_t>();
      const auto message = message_of_step(parent, step);
      if (!message || *message <= sequence)
        out.push_back(fmt::format("{} (step {})", data.value("tool", ""), step));
    }
    cursor = page->cursor;
    if (page->events.size() < platform::kMaxPage) break;
  }
  return out;
}

Result<ForkPlan> Forks::plan_of(const ForkRequest& request, const Parent& parent) {
  ForkPlan plan;
  const platform::RunRecord& run = parent.record();
  Fork& fork = plan.fork;
  fork.run = run.run;
  fork.reason = request.reason;
  fork.by = request.by;
  fork.depth = parent.fork ? parent.fork->depth + 1 : 1;
  if (fork.depth > kMaxForkDepth) {
    return fail(with_fork_fault(
        Code::kFailedPrecondition, ForkFault::kTooDeep,
        fmt::format("forks of forks are at most {} deep: fork an earlier one", kMaxForkDepth)));
  }
  auto version = version_of(request, run);
  if (!version) return fail(version.error());
  for (const std::optional<std::string>& said : {request.prompt, request.message}) {
    if (!said) continue;
    if (Status parts = runs_.check_message(*said); !parts.ok()) return fail(std::move(parts));
  }
  Status edited = request.prompt   ? edit_prompt(request, parent, fork)
                  : request.answer ? edit_answer(request, parent, fork)
                                   : keep_place(request, parent, fork);
  if (!edited.ok()) return fail(std::move(edited));
  auto undone = undone_before(parent, fork.at.sequence);
  if (!undone) return fail(undone.error());
  fork.undone = *std::move(undone);
  auto used = used_until(parent, fork.at.sequence);
  if (!used) return fail(used.error());
  fork.inherited = inherited_json(*used);
  plan.agent = run.agent;
  plan.version = *std::move(version);
  plan.input = run.input;
  if (request.prompt) {
    const Json parts = request.prompt->starts_with('{') ? parse_json<Json>(*request.prompt) : Json();
    plan.input = parts.is_object() ? dump_json(parts) : dump_json(Json(*request.prompt));
  }
  return plan;
}

// ---- doing it, or only saying what that would be

Result<std::optional<StartedRun>> Forks::made_before(const ForkRequest& request, const std::string& hash) {
  if (request.id.empty()) return std::nullopt;
  auto there = store_.run(request.id);
  if (!there) {
    if (there.error().code() == Code::kNotFound) return std::nullopt;
    return fail(there.error());
  }
  auto details = runs_.view(request.id);
  if (!details) return fail(details.error());
  const auto fork = protocol::fork_in(details->settings);
  if (!fork || fork->request != hash) {
    return fail(with_fault(Code::kAlreadyExists, RunFault::kRunExists,
                           fmt::format("another run has the id '{}'", request.id)));
  }
  StartedRun out;
  out.run = *std::move(there);
  out.status = details->summary.standing.status;
  return out;
}

Result<StartedRun> Forks::fork(const ForkRequest& request) {
  const std::string hash = hash_of(request);
  auto before = made_before(request, hash);
  if (!before) return fail(before.error());
  if (*before) return **std::move(before);
  auto parent = parent_of(request.run);
  if (!parent) return fail(parent.error());
  auto plan = plan_of(request, *parent);
  if (!plan) return fail(plan.error());
  plan->fork.request = hash;
  platform::StartIntent intent;
  intent.run = request.id;
  intent.agent = plan->agent;
  intent.definition_hash = plan->version;
  intent.input = plan->input;
  intent.idempotency_key = request.idempotency_key;
  intent.settings = settings_for(parent->details.settings, plan->fork);
  intent.environment = protocol::is_label(request.version)
                           ? request.version
                           : platform::environment_in(parent->details.settings);
  intent.started_by = request.by;
  intent.fingerprint = "fork:" + hash;
  return runs_.start(std::move(intent));
}

Status Forks::list_calls(const Parent& parent, ForkPlan& plan) {
  const std::uint64_t kept = plan.fork.at.sequence;
  Status read = parent.points.each(1, [&](const Line& line) {
    for (const AskedCall& call : line.calls) {
      plan.more = plan.calls.size() == kMaxListedEffects;
      if (plan.more) return false;
      RuledCall& one = plan.calls.emplace_back();
      one.call = call;
      one.fate = line.sequence <= kept ? CallFate::kReuse : CallFate::kMake;
      one.edited = plan.fork.edited && line.sequence == kept && call.id == plan.fork.edited->call;
    }
    return true;
  });
  if (!read.ok() || !rule_) return read;
  auto definition = store_.definition(plan.agent, plan.version);
  return definition ? rule_(*definition, plan.calls) : definition.error();
}

Result<ForkPlan> Forks::plan(const ForkRequest& request) {
  auto parent = parent_of(request.run);
  if (!parent) return fail(parent.error());
  auto plan = plan_of(request, *parent);
  if (!plan) return plan;
  if (Status listed = list_calls(*parent, *plan); !listed.ok()) return fail(std::move(listed));
  return plan;
}

Result<std::vector<ForkDescendant>> Forks::descendants(const std::string& run, const std::string& after,
                                                       std::uint32_t limit) {
  if (auto there = runs_.find(run); !there) return fail(there.error());
  auto rows = branches_.descendants(run, after, limit);
  if (!rows) return fail(rows.error());
  std::vector<ForkDescendant> out;
  for (platform::Origin& row : *rows) {
    ForkDescendant& one = out.emplace_back();
    auto settings = store_.run_settings(row.run);
    if (!settings) return fail(settings.error());
    one.fork = protocol::fork_in(*settings);
    one.undoes = protocol::is_undo_state(row.state);
    one.run = std::move(row.run);
    one.by = std::move(row.by);
    one.at = row.at;
  }
  return out;
}

}  // namespace holdfast::runs
