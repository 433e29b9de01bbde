#include "perform/block_books.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/read_blob.h"
#include "base/json.h"
#include "base/sha256.h"
#include "oauth/tokens.h"
#include "perform/parts.h"
#include "protocol/events.h"

namespace holdfast::flows {

using agent::excerpt;
using agent::require;
using agent::require_ok;

std::string BlockBooks::key_in(std::string_view run, std::size_t block) const {
  return protocol::flow_block_key(ctx_.info().namespace_name, run, round_ ? round_->of : "",
                                  round_ ? round_->index : 0, program_.flow.blocks[block].id);
}

std::vector<std::string> BlockBooks::begun_by(std::size_t block) const {
  for (const protocol::FlowOrigin& one : begun_) {
    if (round_ || one.block == block) return one.runs;  // of a round: all that its block has
  }
  return {};
}

std::string BlockBooks::call_key(std::size_t block) {
  for (const std::string& run : begun_by(block)) {
    const std::string earlier = key_in(run, block);
    const auto effect = require(deps_.store->lookup_effect(earlier), "looking up a call");
    if (!effect) continue;
    const bool settled = effect->state == platform::EffectState::kSettled;
    // A token that an earlier run gave away is good no more: who is to be waited for needs another one.
    const bool counts = effect->succeeded && !program_.blocks[block].tool->detached;
    if (!settled || counts) return earlier;
  }
  return key(block);
}

// ---- what is known

std::optional<std::string> BlockBooks::record_in(std::string_view run, std::size_t block) {
  const std::string known = key_in(run, block);
  if (const auto step = require(deps_.store->lookup_step("block:" + known), "looking up a block"))
    return step->result;
  const auto& tool = program_.blocks[block].tool;
  if (!tool || tool->effect == agent::Effect::kPure || tool->detached) return std::nullopt;
  const auto effect = require(deps_.store->lookup_effect(known), "looking up a call");
  if (!effect || effect->state != platform::EffectState::kSettled) return std::nullopt;
  return effect->result;
}

// What failed in a run that is taken up is tried again.
std::optional<BlockOutcome> BlockBooks::find(std::size_t block) {
  if (round_ && !round_->is_kept) return std::nullopt;
  if (const auto own = record_in(run_, block)) return read(*own);
  for (const std::string& run : begun_by(block)) {
    const auto earlier = record_in(run, block);
    if (!earlier) continue;
    BlockOutcome outcome = read(*earlier);
    if (!outcome.failed) return outcome;
  }
  return std::nullopt;
}

std::string BlockBooks::value(std::size_t block) {
  const auto known = find(block);
  return known ? value_of(*known, block) : "null";
}

std::string BlockBooks::value_of(const BlockOutcome& outcome, std::size_t block) {
  if (!outcome.in_parts) return outcome.value;
  return PartBooks(ctx_, deps_)
      .list(key(block), PartsSummary::of(outcome.value), program_.flow.blocks[block].id);
}

const std::string& BlockBooks::input() {
  if (input_) return *input_;
  auto run = deps_.store->run(run_);
  // A run that another one has called has no row.
  if (!run && run.error().code() == Code::kNotFound && begun().contains("input"))
    return input_.emplace(begun()["input"].get<std::string>());
  return input_.emplace(require(std::move(run), "the input of the run").input);
}

std::string BlockBooks::said(std::size_t block) {
  const auto record = require(deps_.store->lookup_step("tool:" + key(block)), "the answer to a call");
  if (!record) throw ApplicationFailure::non_retryable("the answer to a call is gone", "NOT_FOUND");
  return read(record->result).value;
}

// ---- how the run began

void BlockBooks::begins(platform::StepWrite& write) const {
  write.run = run_;
  write.key = "flow.begin:" + sha256_hex(ctx_.info().namespace_name + "/" + run_);
}

std::string BlockBooks::end_key() const {
  platform::StepWrite begin;
  begins(begin);
  return "flow.ended:" + sha256_hex(begin.key);
}

const Json& BlockBooks::begun() {
  if (beginning_) return *beginning_;
  platform::StepWrite write;
  begins(write);
  const auto record = require(deps_.store->lookup_step(write.key), "the begin of the run");
  beginning_ = record ? parse_json(record->result) : Json::object();
  if (!beginning_->is_object()) beginning_ = Json::object();
  return *beginning_;
}

agent::RunSettings BlockBooks::settings(const std::optional<protocol::Caller>& caller) const {
  if (!caller) {
    const std::string text =
        require(deps_.store->run_settings(ctx_.info().workflow_id), "the run's settings");
    return require(agent::read_settings(text), "the run's settings");
  }
  agent::RunSettings out;
  out.environment = caller->call.environment;
  return out;
}

protocol::CallRef BlockBooks::call(std::size_t block) {
  protocol::CallRef out;
  out.id = out.tool = program_.flow.blocks[block].id;
  out.key = key(block);
  out.step = static_cast<std::uint32_t>(block + 1);
  out.team = program_.flow.team;
  // Runs that an earlier build began have no record of it.
  out.environment = begun().empty() ? settings(std::nullopt).environment : begun().value("environment", "");
  return out;
}

// ---- records: as those of tools, and the outlet

std::string BlockBooks::record(const BlockOutcome& outcome) {
  Json more = {{"outlet", outcome.outlet}};
  if (outcome.failed) more["error_type"] = outcome.error_type;
  if (outcome.in_parts) more["parts"] = true;
  if (!outcome.log.empty()) more["log"] = outcome.log;
  std::string text = outcome.failed ? outcome.error : outcome.value;
  if (!outcome.failed && text.size() > kMaxKeptInline) {
    const platform::Blob kept = keep_blob(ctx_, deps_, text);
    more["output"] = {{"sha256", kept.sha256}, {"bytes", kept.bytes}, {"type", kept.media_type}};
    text = excerpt(text);
  }
  return agent::tool_record(text, outcome.failed, more);
}

BlockOutcome BlockBooks::read(const std::string& record) {
  const Json in = parse_json(record);
  if (!in.is_object())
    throw ApplicationFailure::non_retryable("the record of a block cannot be read", "DATA_LOSS");
  BlockOutcome out;
  if (in.value("is_error", false))
    out = BlockOutcome::of(std::unexpected(BlockFailure{in.value("error_type", ""), in.value("text", "")}));
  out.log = in.value("log", "");
  if (out.failed) return out;
  out.outlet = in.value("outlet", std::string(kDone));
  out.in_parts = in.contains("parts");
  const auto kept = agent::kept_text(in);
  out.value =
      kept ? agent::read_blob(ctx_, *deps_.store, kept->sha256, 0, kept->bytes) : in.value("text", "null");
  return out;
}

// ---- events

Json BlockBooks::head(std::size_t block) const {
  const FlowBlock& spec = program_.flow.blocks[block];
  return {{"step", block + 1}, {"kind", spec.type->name}, {"name", spec.id}};
}

std::string BlockBooks::event_key(std::size_t block, std::string_view what) const {
  return fmt::format("{}/step/{}/{}", ctx_.info().run_id, block + 1, what);
}

platform::Told BlockBooks::event(std::string_view type, const Json& data, const std::string& key) const {
  return {ctx_.info().workflow_id, std::string(type), dump_json(data),
          fmt::format("{}/{}", ctx_.info().run_id, key)};
}

void BlockBooks::publish(std::string_view type, const Json& data, const std::string& key) {
  const platform::Told told = event(type, data, key);
  require(deps_.streams->publish(told.run, told.type, told.json, told.key), "publishing an event");
}

void BlockBooks::tell_caller(const protocol::Caller& caller, std::string_view type, const Json& more,
                             std::string_view what) {
  Json step = {{"step", caller.call.step},
               {"kind", "flow"},
               {"name", caller.call.tool},
               {"run", ctx_.info().workflow_id}};
  step.update(more);
  require(deps_.streams->publish(caller.run, type, dump_json(step),
                                 fmt::format("child/{}/{}", caller.call.key, what)),
          "publishing an event");
}

void BlockBooks::refused(const std::string& run, const protocol::CallRef& call, const std::string& why) {
  const Json ruling = {
      {"step", call.step}, {"tool", call.tool}, {"action", "deny"}, {"reason", why}, {"granted", false}};
  require(deps_.streams->publish(run, protocol::event::kPolicyRuled, dump_json(ruling),
                                 fmt::format("grant/{}/{}", call.step, call.key)),
          "publishing an event");
}

void BlockBooks::started(std::size_t block, const std::string& arguments) {
  if (round_) return;
  Json event = head(block);
  event["attempt"] = ctx_.info().attempt;
  if (!arguments.empty()) event["arguments"] = excerpt(arguments);
  require_ok(
      deps_.streams->publish_soon(ctx_.info().workflow_id, protocol::event::kStepStarted, dump_json(event),
                                  event_key(block, fmt::format("started/{}", ctx_.info().attempt))),
      "publishing an event");
}

void BlockBooks::step_started(std::size_t block, const Json& more) {
  Json event = head(block);
  event["attempt"] = 1;
  event.update(more);
  publish(protocol::event::kStepStarted, event, fmt::format("step/{}/started", block + 1));
}

void BlockBooks::retrying(std::size_t block, int attempt, const std::string& error,
                          std::optional<std::chrono::milliseconds> retry_after) {
  if (round_) return;
  Json event = head(block);
  event.update({{"attempt", attempt}, {"error_type", "ToolError"}, {"error", excerpt(error)}});
  if (retry_after) event["retry_after_ms"] = retry_after->count();
  require_ok(
      deps_.streams->publish_soon(ctx_.info().workflow_id, protocol::event::kStepRetrying, dump_json(event),
                                  event_key(block, fmt::format("error/{}/{}", ctx_.info().attempt, attempt))),
      "publishing an event");
}

platform::Told BlockBooks::told(std::size_t block, const BlockOutcome& outcome) const {
  Json event = head(block);
  if (outcome.failed) {
    event.update({{"error_type", outcome.error_type}, {"error", excerpt(outcome.error)}});
  } else {
    event.update({{"result", excerpt(outcome.value)}, {"is_error", false}});
    if (outcome.outlet != kDone) event["outlet"] = outcome.outlet;
    // The beginning alone is told: whoever watches finds the whole by its hash.
    if (outcome.value.size() > kMaxKeptInline) {
      event["output"] = {{"sha256", sha256_hex(outcome.value)},
                         {"bytes", outcome.value.size()},
                         {"type", "application/json"}};
    }
  }
  if (!outcome.log.empty()) event["log"] = outcome.log;
  const auto type = outcome.failed ? protocol::event::kStepFailed : protocol::event::kStepCompleted;
  return {ctx_.info().workflow_id, std::string(type), dump_json(event), event_key(block, "ended")};
}

std::vector<platform::Told> BlockBooks::tells(std::size_t block, const BlockOutcome& outcome) const {
  if (round_) return {};
  return {told(block, outcome)};
}

// The call runs, and somebody outside ends it.
void BlockBooks::detached(std::size_t block, const std::string& completion, const std::string& answer) {
  Json event = head(block);
  event["detached"] = {{"id", completion}, {"answer", excerpt(answer)}};
  publish(protocol::event::kStepDetached, event, fmt::format("step/{}/detached", block + 1));
}

platform::Told BlockBooks::progress(std::size_t block, const std::string& once, const Json& more) const {
  Json event = head(block);
  event.update(more);
  return {run_, std::string(protocol::event::kStepProgress), dump_json(event), event_key(block, once)};
}

void BlockBooks::tell_again(std::size_t block, const BlockOutcome& outcome) {
  if (round_) return;
  const platform::Told event = told(block, outcome);
  require_ok(deps_.streams->publish_soon(event.run, event.type, event.json, event.key),
             "publishing an event");
}

// ---- writing

void BlockBooks::ended(std::size_t block, const BlockOutcome& outcome) {
  if (round_ && !round_->is_kept) return;
  platform::StepWrite& write = writes_.emplace_back();
  write.key = "block:" + key(block);
  write.run = ctx_.info().workflow_id;
  write.result = record(outcome);
  pending_bytes_ += write.result.size();
  if (!round_) {
    tells_.push_back(told(block, outcome));
    pending_bytes_ += tells_.back().json.size();
  }
  if (pending_bytes_ > kMaxPendingBytes) flush();
}

// First of what is written: what is told goes with the last, which must be new.
void BlockBooks::keep_arguments(const std::string& call_key, const std::string& arguments) {
  platform::StepWrite write;
  write.key = protocol::call_arguments_key(call_key);
  write.run = ctx_.info().workflow_id;
  write.result = arguments;
  writes_.insert(writes_.begin(), std::move(write));
}

void BlockBooks::flush() {
  if (writes_.empty()) return;
  const platform::StepWrite last = std::move(writes_.back());
  writes_.pop_back();
  require(deps_.outbox->commit_step(last, tells_, writes_), "storing what blocks came to");
  writes_.clear();
  tells_.clear();
  pending_bytes_ = 0;
}

std::string BlockBooks::redacted(std::string text) const {
  if (deps_.grants != nullptr) text = deps_.grants->current_redaction()->apply(std::move(text));
  if (deps_.tokens != nullptr) text = deps_.tokens->redact(std::move(text));
  return text;
}

}  // namespace holdfast::flows
