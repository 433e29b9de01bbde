// A run that is steered while it is under way. Validators change nothing, and what they let in is done: a
// message that was taken is seen by a model call, or stays part of the conversation of a run that ends
// before.

#include <algorithm>

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

[[noreturn]] void reject(const char* type, const std::string& why) {
  throw ApplicationFailure::non_retryable(why, type);
}

}  // namespace

// ---- messages

void Loop::check_message(const SentMessage& message) const {
  if (message.id.empty() || message.key.empty())
    reject(kMessageRejected, "a message has an `id`, and the `key` under which its text is stored");
  if (std::ranges::find(progress_.known_messages, message.id) != progress_.known_messages.end()) return;
  if (ending_) reject(kRunEnding, "the run is ending: no model call will see a message any more");
  if (single_) reject(kMessageRejected, "a run of a single model call takes no messages (`mode: single`)");
  if (progress_.plan.steering == SteeringPolicy::kReject && !progress_.hold)
    reject(kMessageRejected, "this agent takes no messages while it works (`steering: reject`)");
  if (progress_.messages.size() >= kMaxWaitingMessages) {
    reject(kTooManyMessages,
           fmt::format("{} messages wait for the next model call already", progress_.messages.size()));
  }
}

Json Loop::take_message(const SentMessage& message) {
  std::vector<std::string>& known = progress_.known_messages;
  Json answer = {{"id", message.id}, {"state", "queued"}};
  if (std::ranges::find(known, message.id) != known.end()) return answer;
  check_message(message);  // those that arrive together are all validated before the first is handled
  if (known.size() >= kMaxKnownMessages) known.erase(known.begin());
  known.push_back(message.id);
  progress_.messages.push_back(message);
  if (progress_.plan.steering != SteeringPolicy::kInterrupt || progress_.hold) return answer;
  interrupt(message.by);
  answer["state"] = "interrupts";
  return answer;
}

void Loop::interrupt(const std::string& by) {
  if (model_scope_) return model_scope_->cancel("a message came");
  if (phase_ != "tools") return;
  interrupted_ = true;
  interrupted_by_ = by.empty() ? "" : ", from " + by;
  for (auto& [step, scope] : waits_) scope.cancel("a message came");
  for (auto& [id, pending] : pending_) withdraw(*pending, "a message" + interrupted_by_);
}

// ---- pause and resume

void Loop::check_pause() const {
  if (ending_) reject(kRunEnding, "the run is ending: there is nothing left to pause");
  if (single_) reject(kRunEnding, "a run of a single model call has nowhere to pause (`mode: single`)");
  if (!progress_.hold) return;
  reject(kAlreadyHeld, fmt::format("the run is {} already", to_string(progress_.hold->kind)));
}

Task<Json> Loop::pause(PauseRequest request) {
  check_pause();
  Hold hold;
  hold.kind = HoldKind::kPaused;
  hold.by = request.by;
  hold.reason = request.reason;
  hold.since_ms = now_ms();
  progress_.hold = hold;
  HoldInput in;
  in.hold = hold;
  co_await record_hold(in);
  co_return Json(hold);
}

void Loop::check_held(bool parked_only) const {
  const bool parked = progress_.hold && progress_.hold->kind == HoldKind::kParked;
  if (!progress_.hold || releasing_ || (parked_only && !parked)) {
    reject(kNotHeld, parked_only ? "the run is not parked: `cancel` ends a run that is under way"
                                 : "the run is neither paused nor parked");
  }
}

Task<Json> Loop::resume(ResumeRequest request) {
  check_held(false);
  releasing_ = true;
  if (!request.version.empty()) {
    PlanInput in;
    in.agent = progress_.plan.agent;
    in.version = request.version;
    in.settings = progress_.plan.settings;
    Outcome<Plan> plan =
        co_await attempt(ctx_.shielded(ctx_.activity<Plan>(kPlanActivity, bookkeeping(), in)));
    if (!plan.ok()) {
      releasing_ = false;
      throw ApplicationFailure::non_retryable(root_of(plan.error()).message(), type_of(plan.error()));
    }
    Plan next = std::move(plan).value();
    next.flags = progress_.plan.flags;
    next.requester = progress_.plan.requester;
    // Nobody has remembered the calls that its rules look at, or knows what its rules are to those of before.
    for (const std::string& tool : next.watched) {
      if (progress_.step > 0 && !is_watched(tool)) progress_.past_lost.push_back(tool);
    }
    if (next.version != progress_.plan.version) progress_.allowed.clear();
    if (progress_.deadline_ms > 0 && next.run_timeout_ms == 0) progress_.deadline_ms = 0;
    if (progress_.deadline_ms > 0)
      progress_.deadline_ms += next.run_timeout_ms - progress_.plan.run_timeout_ms;
    progress_.plan = std::move(next);
    if (!progress_.plan.plans) progress_.planning.reset();
    if (progress_.plan.plans && !progress_.planning) progress_.planning.emplace();
  }
  co_await release(request.by);
  co_return Json{{"version", progress_.plan.version}};
}

Task<Json> Loop::give_up(GiveUpRequest request) {
  check_held(true);
  releasing_ = true;
  given_up_ = (request.by.empty() ? std::string("a person") : request.by) +
              (request.reason.empty() ? "" : ": " + request.reason);
  co_await release(request.by);
  co_return Json::object();
}

Task<void> Loop::release(std::string by) {
  HoldInput in;
  in.hold = *progress_.hold;
  in.released = true;
  in.by = std::move(by);
  co_await record_hold(in);
  // Time on hold is nobody's: it does not count for limits.run_timeout.
  if (progress_.deadline_ms > 0) progress_.deadline_ms += now_ms() - progress_.hold->since_ms;
  progress_.hold.reset();
  releasing_ = false;
}

// ---- a step that failed for good

bool Loop::parks(const Failure& failure, bool of_tool) const {
  if (ctx_.cancelled() || ctx_.workflow_cancelled() || is_canceled(failure) || !is_steered()) return false;
  return of_tool || progress_.plan.park_on_failure;
}

Task<void> Loop::park(std::string type, std::string detail, std::uint32_t step) {
  if (progress_.hold && progress_.hold->kind == HoldKind::kPaused && releasing_) {
    auto released = [this] { return !releasing_; };
    co_await ctx_.wait(released);
  }
  if (!progress_.hold || progress_.hold->kind == HoldKind::kPaused) {
    Hold hold;
    hold.kind = HoldKind::kParked;
    hold.reason = std::move(type);
    hold.detail = std::move(detail);
    hold.since_ms = progress_.hold ? progress_.hold->since_ms : now_ms();
    hold.step = step;
    progress_.hold = hold;
    HoldInput in;
    in.hold = hold;
    co_await record_hold(in);
  }
  co_await held();
}

Task<void> Loop::held() {
  const std::optional<Hold> hold = progress_.hold;
  auto released = [this] { return !progress_.hold; };
  co_await ctx_.wait(released);
  if (!given_up_ || !hold || hold->kind != HoldKind::kParked) co_return;
  throw ApplicationFailure::non_retryable(fmt::format("{} (given up by {})", hold->detail, *given_up_),
                                          hold->reason);
}

// Not cut short by a cancellation: the list of held runs says what is.
Task<void> Loop::record_hold(HoldInput in) {
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  // One behind the other: the last one is what counts.
  auto recorded = [this] { return !recording_hold_; };
  while (recording_hold_) co_await ctx_.shielded(ctx_.wait(recorded));
  recording_hold_ = true;
  auto recording = attempt(ctx_.activity<void>(kHoldActivity, bookkeeping(), in));
  (void)co_await ctx_.shielded(std::move(recording));
  recording_hold_ = false;
}

// ---- what the others wait for

Task<void> Loop::run_time_over() {
  while (true) {
    // A run that is held does not use up its time; a budget of wall time runs on.
    auto due_ms = [this] {
      return progress_.hold ? progress_.wall_deadline_ms : first_deadline_ms(progress_);
    };
    auto goes_on = [due_ms] { return due_ms() > 0; };
    co_await ctx_.wait(goes_on);
    const std::int64_t left_ms = due_ms() - now_ms();
    if (left_ms <= 0) co_return;
    co_await ctx_.sleep(milliseconds(left_ms), "limits.run_timeout");
  }
}

Task<void> Loop::handlers_ended() {
  while (is_steered() && !ctx_.idle()) {
    auto idle = [this] { return ctx_.idle(); };
    co_await ctx_.wait(idle);
  }
}

}  // namespace holdfast::agent
