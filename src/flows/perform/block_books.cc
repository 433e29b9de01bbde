#include "perform/block_books.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "base/json.h"
#include "base/sha256.h"
#include "oauth/tokens.h"
#include "protocol/events.h"

namespace holdfast::flows {

using agent::excerpt;
using agent::require;
using agent::require_ok;

std::string BlockBooks::key(std::size_t block) const {
  const auto& info = ctx_.info();
  return sha256_hex(
      fmt::format("flow\n{}\n{}\n{}", info.namespace_name, info.workflow_id, program_.flow.blocks[block].id));
}

// ---- what is known

std::optional<BlockOutcome> BlockBooks::find(std::size_t block) {
  const std::string known = key(block);
  if (const auto step = require(deps_.store->lookup_step("block:" + known), "looking up a block"))
    return read(step->result);
  const auto& tool = program_.blocks[block].tool;
  if (!tool || tool->effect == agent::Effect::kPure) return std::nullopt;
  const auto effect = require(deps_.store->lookup_effect(known), "looking up a call");
  if (!effect || effect->state != platform::EffectState::kSettled) return std::nullopt;
  return read(effect->result);
}

std::string BlockBooks::value(std::size_t block) {
  const auto known = find(block);
  return known ? known->value : "null";
}

const std::string& BlockBooks::input() {
  if (!input_) input_ = require(deps_.store->run(ctx_.info().workflow_id), "the input of the run").input;
  return *input_;
}

// ---- records: as those of tools, and the outlet

std::string BlockBooks::record(const BlockOutcome& outcome) {
  Json more = {{"outlet", outcome.outlet}};
  if (outcome.failed) more["error_type"] = outcome.error_type;
  std::string text = outcome.failed ? outcome.error : outcome.value;
  if (!outcome.failed && text.size() > kMaxKeptInline) {
    platform::BlobWrite write;
    write.run = ctx_.info().workflow_id;
    write.conversation = write.run;
    write.media_type = "application/json";
    write.bytes = text;
    ctx_.heartbeat();
    const platform::Blob kept = require(deps_.store->put_blob(write), "keeping a large result");
    more["output"] = {{"sha256", kept.sha256}, {"bytes", kept.bytes}, {"type", kept.media_type}};
    text = excerpt(text);
  }
  return agent::tool_record(text, outcome.failed, more);
}

BlockOutcome BlockBooks::read(const std::string& record) {
  const Json in = parse_json(record);
  if (!in.is_object())
    throw ApplicationFailure::non_retryable("the record of a block cannot be read", "DATA_LOSS");
  if (in.value("is_error", false))
    return BlockOutcome::of(std::unexpected(BlockFailure{in.value("error_type", ""), in.value("text", "")}));
  BlockOutcome out;
  out.outlet = in.value("outlet", std::string(kDone));
  const auto blob = in.find("output");
  out.value = blob == in.end() ? in.value("text", "null")
                               : read_blob(blob->value("sha256", ""), blob->value("bytes", std::int64_t{0}));
  return out;
}

std::string BlockBooks::read_blob(const std::string& sha256, std::int64_t bytes) {
  std::string out;
  while (static_cast<std::int64_t>(out.size()) < bytes) {
    const std::string part =
        require(deps_.store->read_blob(sha256, out.size(), platform::kMaxBlobRead), "reading a large result");
    if (part.empty()) throw ApplicationFailure::non_retryable("a large result is gone", "NOT_FOUND");
    out += part;
    ctx_.heartbeat();
  }
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

void BlockBooks::publish(std::string_view type, const Json& data, const std::string& key) {
  require(deps_.streams->publish(ctx_.info().workflow_id, type, dump_json(data),
                                 fmt::format("{}/{}", ctx_.info().run_id, key)),
          "publishing an event");
}

void BlockBooks::started(std::size_t block, const std::string& arguments) {
  Json event = head(block);
  event["attempt"] = ctx_.info().attempt;
  if (!arguments.empty()) event["arguments"] = excerpt(arguments);
  require_ok(
      deps_.streams->publish_soon(ctx_.info().workflow_id, protocol::event::kStepStarted, dump_json(event),
                                  event_key(block, fmt::format("started/{}", ctx_.info().attempt))),
      "publishing an event");
}

void BlockBooks::wait_started(std::size_t block) {
  Json event = head(block);
  event["attempt"] = 1;
  publish(protocol::event::kStepStarted, event, fmt::format("step/{}/started", block + 1));
}

void BlockBooks::retrying(std::size_t block, int attempt, const std::string& error,
                          std::optional<std::chrono::milliseconds> retry_after) {
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
  const auto type = outcome.failed ? protocol::event::kStepFailed : protocol::event::kStepCompleted;
  return {ctx_.info().workflow_id, std::string(type), dump_json(event), event_key(block, "ended")};
}

void BlockBooks::tell_again(std::size_t block, const BlockOutcome& outcome) {
  const platform::Told event = told(block, outcome);
  require_ok(deps_.streams->publish_soon(event.run, event.type, event.json, event.key),
             "publishing an event");
}

// ---- writing

void BlockBooks::ended(std::size_t block, const BlockOutcome& outcome) {
  platform::StepWrite& write = writes_.emplace_back();
  write.key = "block:" + key(block);
  write.run = ctx_.info().workflow_id;
  write.result = record(outcome);
  tells_.push_back(told(block, outcome));
  pending_bytes_ += write.result.size() + tells_.back().json.size();
  if (pending_bytes_ > kMaxPendingBytes) flush();
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
