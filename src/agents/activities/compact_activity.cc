// A summary in the place of older messages: one model call, one message more in the conversation. What it
// stands for stays where it is.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/context.h"
#include "activities/redacted.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

constexpr std::string_view kKind = "compact";

std::string compact_key(activity::Context& ctx, const CompactInput& in) {
  Json parts = {kKind,          ctx.info().namespace_name, ctx.info().workflow_id, in.head.conversation,
                in.head.branch, in.head.sequence,          in.head.sha256};
  return "compact:" + sha256_hex(dump_json(parts));
}

std::string range_of(const Summary& summary) {
  return fmt::format("messages {} to {}", summary.from, summary.to);
}

Compacted compacted_of(const platform::StepRecord& record) {
  Compacted out;
  out.head = record.appended->head;
  Json::parse(record.result).at("usage").get_to(out.usage);
  return out;
}

// A summary that is not whole would leave out what nobody has seen.
std::optional<model::Error> why_no_summary(const model::Completion& answer) {
  const bool whole =
      answer.stop_reason == model::StopReason::kEnd || answer.stop_reason == model::StopReason::kStopSequence;
  if (whole && !answer.message.text().empty()) return std::nullopt;
  return model::Error(model::ErrorKind::kInvalidOutput,
                      whole ? "the summary of the conversation is empty"
                            : "the summary of the conversation was cut off: raise `max_tokens` of the model");
}

Json completed_json(const CompactInput& in, const Summary& summary, const Tokens& tokens) {
  return {{"step", in.step},      {"kind", kKind},    {"name", kKind},
          {"from", summary.from}, {"to", summary.to}, {"result", excerpt(summary.text)},
          {"is_error", false},    {"usage", tokens}};
}

}  // namespace

void Activities::compact_failed(activity::Context& ctx, const CompactInput& in, const model::Error& error) {
  if (error.kind == model::ErrorKind::kCancelled) throw CanceledFailure("the model call was canceled");
  publish(ctx, error.retryable ? protocol::event::kStepRetrying : protocol::event::kStepFailed,
          {{"step", in.step},
           {"kind", kKind},
           {"attempt", ctx.info().attempt},
           {"error_type", std::string(model::error_type(error.kind))},
           {"error", error.message}},
          fmt::format("step/{}/error/{}", in.step, ctx.info().attempt));
  std::optional<Duration> delay;
  if (error.retry_after) delay = *error.retry_after;
  throw ApplicationFailure(error.message, std::string(model::error_type(error.kind)), !error.retryable, {},
                           delay);
}

Compacted Activities::compact(activity::Context& ctx, const CompactInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const std::string key = compact_key(ctx, in);
  if (auto record = require(deps_.store->lookup_step(key), "looking up the step"))
    return compacted_of(*record);
  const TranscriptPtr transcript = transcripts_.read(in.head, [&ctx] { ctx.heartbeat(); });
  const std::optional<Cut> cut = cut_of(*agent, *transcript);
  if (!cut) {
    Compacted nothing;
    nothing.head = in.head;
    return nothing;
  }
  const ModelSpec& spec = agent->model_of("summarize");
  Summary summary;
  summary.from = transcript->summary ? transcript->summary->from : transcript->said[cut->begin]->sequence;
  summary.to = transcript->said[cut->end - 1]->sequence;
  publish_begun(ctx,
                {{"step", in.step},
                 {"kind", kKind},
                 {"name", kKind},
                 {"model", spec.name},
                 {"provider", spec.provider},
                 {"arguments", range_of(summary)},
                 {"attempt", ctx.info().attempt}},
                fmt::format("step/{}/started/{}", in.step, ctx.info().attempt));
  model::Request request;
  request.model = spec.name;
  request.max_tokens = spec.max_tokens;
  request.messages = {model::Message::system(summary_instructions(spec.max_tokens)),
                      model::Message::user(material_of(*transcript, *cut))};
  ModelInput streamed;
  streamed.agent = in.agent;
  streamed.version = in.version;
  streamed.step = in.step;
  const Allowance allowance = spend_.allow(ctx, spec, request, key);
  model::Outcome outcome = stream_model(ctx, spec, std::move(request), streamed);
  if (outcome) {
    (void)Spend::admit(allowance, *outcome);
    if (auto wrong = why_no_summary(*outcome)) {
      const platform::Usage used = Spend::usage(ctx, agent->name, in.version, spec, allowance, *outcome);
      metrics_.used(used);
      spend_.spoiled(allowance, used);
      outcome = std::unexpected(std::move(*wrong));
    }
  }
  if (!outcome) {
    spend_.failed(allowance, outcome.error());
    compact_failed(ctx, in, outcome.error());
  }
  redact(*redaction(), outcome->message);
  summary.text = outcome->message.text();
  Tokens tokens;
  tokens.input_tokens = outcome->usage.input_tokens;
  tokens.output_tokens = outcome->usage.output_tokens;
  platform::StepWrite write;
  write.key = key;
  write.run = ctx.info().workflow_id;
  write.expected = in.head;
  write.messages = {to_json(summary)};
  write.result = dump_json(Json{{"usage", tokens}});
  write.usage.push_back(Spend::usage(ctx, agent->name, in.version, spec, allowance, *outcome));
  write.usage.back().key = key;
  write.settles = allowance.key;
  const auto record = require(deps_.store->commit_step(write), "storing the summary");
  if (!record.replayed) metrics_.used(write.usage.back());
  publish(ctx, protocol::event::kStepCompleted, completed_json(in, summary, tokens),
          fmt::format("step/{}/completed", in.step));
  return compacted_of(record);
}

}  // namespace holdfast::agent
