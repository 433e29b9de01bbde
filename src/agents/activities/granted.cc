// Tool grants, asked at the moment when a call is about to be made: what is taken back counts for runs that
// are under way, and for calls that waited for a person. What an earlier attempt of a call came to stands.
// The workflow never asks, so its history says all that it goes on from.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "activities/granted.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"
#include "protocol/names.h"

namespace holdfast::agent {

std::string Activities::environment_at(const std::string& settings) {
  if (settings.empty()) return {};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = environments_.find(settings); found != environments_.end()) return found->second;
  }
  std::string environment = settings_at(settings).environment;
  const std::lock_guard lock(mutex_);
  if (environments_.size() >= kMaxCachedEnvironments) environments_.clear();
  environments_[settings] = environment;
  return environment;
}

std::optional<std::string> refusal_of(const grant::ToolGrants* grants, const std::string& agent,
                                      const CallRef& call) {
  if (grants == nullptr) return std::nullopt;
  grant::ToolScope scope;
  scope.agent = agent;
  scope.team = call.team;
  scope.environment = call.environment;
  const auto permits = grants->of(std::move(scope));
  return permits ? permits->refusal(call.tool) : std::nullopt;
}

std::shared_ptr<const grant::ToolPermits> Activities::tool_permits(const std::string& agent,
                                                                   const std::string& team,
                                                                   const std::string& environment) const {
  if (deps_.tool_grants == nullptr) return nullptr;
  grant::ToolScope scope;
  scope.agent = agent;
  scope.team = team;
  scope.environment = environment;
  return deps_.tool_grants->of(std::move(scope));
}

std::optional<std::string> Activities::not_granted(const std::string& agent, const CallRef& call) const {
  return refusal_of(deps_.tool_grants, agent, call);
}

void Activities::tell_not_granted(activity::Context&, const std::string& run, const CallRef& call,
                                  const std::string& why) {
  publish_to(
      run, protocol::event::kPolicyRuled,
      {{"step", call.step}, {"tool", call.tool}, {"action", "deny"}, {"reason", why}, {"granted", false}},
      fmt::format("grant/{}/{}", call.step, call.key));
}

void Activities::refuse_call(activity::Context& ctx, const std::string& run, const CallRef& call,
                             const std::string& why) {
  tell_not_granted(ctx, run, call, why);
  throw ApplicationFailure::non_retryable("denied: " + why, kToolNotGranted);
}

void Activities::require_granted(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in) {
  if (builtin_of(tool)) return;
  auto why = not_granted(in.agent, in.call);
  if (!why) return;
  if (tool.effect == Effect::kPure) {
    if (require(deps_.store->lookup_step("tool:" + in.call.key), "looking up the call")) return;
  } else if (const auto record = require(deps_.store->lookup_effect(in.call.key), "looking up the call")) {
    // Of what an interrupted one did, a person is asked.
    if (record->state == platform::EffectState::kSettled || tool.effect == Effect::kAtMostOnce) return;
    if (is_completed(in)) return;
    *why += "; an earlier attempt of this call may have taken effect";
  }
  refuse_call(ctx, ctx.info().workflow_id, in.call, *why);
}

// Of a call that the workflow makes itself.
void Activities::require_granted(activity::Context& ctx, const CallRef& call) {
  if (deps_.tool_grants == nullptr || deps_.tool_grants->empty()) return;
  const auto account = require(deps_.store->account(ctx.info().workflow_id), "the account of the run");
  if (const auto why = not_granted(account ? account->agent : "", call))
    refuse_call(ctx, ctx.info().workflow_id, call, *why);
}

// Of the call that this sub-agent is.
void Activities::require_granted(activity::Context& ctx, const Caller& caller) {
  if (const auto why = not_granted(caller.agent, caller.call))
    refuse_call(ctx, caller.run, caller.call, *why);
}

}  // namespace holdfast::agent
