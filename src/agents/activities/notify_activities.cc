// What a run is started with besides its input, and telling others how it goes: by the tool types that send
// messages, at least once, with an id that stays the same, so that who counts them counts one.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/catalog.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

// ---- what a run was started with

RunSettings Activities::settings_at(const std::string& key) {
  if (key.empty()) return {};
  const auto record = require(deps_.store->lookup_step(key), "what the run was started with");
  if (!record) throw ApplicationFailure::non_retryable("what the run was started with is gone", "NOT_FOUND");
  return require(read_settings(record->result), "what the run was started with");
}

RunSettings Activities::start_settings(activity::Context& ctx, const RunInput& run,
                                       const AgentDefinition& agent) {
  RunSettings out;
  if (run.caller) {
    out.context = settings_at(run.caller->settings).context;
    out.environment = run.caller->call.environment;
  } else if (run.input.is_null() && run.context.is_null() && run.notify.is_null()) {
    out = require(
        read_settings(require(deps_.store->run_settings(ctx.info().workflow_id), "the run's settings")),
        "the run's settings");
  } else {
    out.context = run.context;
    out.notify = run.notify;
  }
  if (Status fits = check_context(agent, out.context); !fits.ok())
    throw ApplicationFailure::non_retryable(fits.message(), "RunContextError");
  return out;
}

// ---- telling

std::vector<Notified> Activities::notified(const NotifyInput& in) {
  std::vector<Notified> all = definition(in.agent, in.version)->notify;
  for (Notified& one : require(read_notify(agent_catalog(), settings_at(in.settings).notify), "`notify`"))
    all.push_back(std::move(one));
  std::erase_if(all, [&](const Notified& one) {
    return !in.event || (one.events & static_cast<std::uint32_t>(*in.event)) == 0;
  });
  return all;
}

NotifyTargets Activities::notify_targets(activity::Context& ctx, const NotifyInput& in) {
  // What is told is what the run said, and this workflow outlives it.
  if (require(deps_.store->unkept_run(in.run), "the run").has_value())
    require_ok(deps_.store->keep_as(ctx.info().workflow_id, in.run), "the message");
  NotifyTargets out;
  out.count = static_cast<std::uint32_t>(notified(in).size());
  return out;
}

namespace {

std::string name_of(const NotifyInput& in) {
  switch (in.event.value()) {
    case NotifyEvent::kCompleted: return "run.completed";
    case NotifyEvent::kFailed: return in.data.value("canceled", false) ? "run.canceled" : "run.failed";
    case NotifyEvent::kApproval: return "approval.requested";
    case NotifyEvent::kDecided: return "approval.decided";
  }
  return "run";
}

std::string one_line_of(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\r', ' ');
  return text;
}

// For people: a line, and what is to be read first.
void describe(Json& told, const std::string& event) {
  const auto text = [&](const char* name) {
    return told.contains(name) ? told[name].get<std::string>() : "";
  };
  const std::string who = fmt::format("{} ({})", text("agent"), text("run"));
  if (event == "approval.requested") {
    const bool asks = told.value("kind", "") == "question";
    told["subject"] = asks ? fmt::format("{} asks: {}", who, bounded_text(one_line_of(text("reason")), 200))
                           : fmt::format("{} waits for approval of {}", who, text("tool"));
    const std::string call =
        asks ? text("reason") : fmt::format("{} {}\n{}", text("tool"), text("arguments"), text("reason"));
    told["text"] = fmt::format("{}\nholdfast {} {}{}", call, asks ? "answer" : "approve", text("approval"),
                               told.contains("link") ? "\n" + text("link") : "");
  } else if (event == "approval.decided") {
    const std::string by = text("decided_by").empty() ? "" : " by " + text("decided_by");
    told["subject"] = fmt::format("{}: {} is {}{}", who, text("tool"), text("outcome"), by);
    const std::string said =
        text("answer").empty() ? text("comment") : text("answer") + "\n" + text("comment");
    told["text"] = fmt::format("{} is {}{}\n{}", text("tool"), text("outcome"), by, said);
  } else if (event == "run.completed") {
    told["subject"] = who + " is done";
    told["text"] = text("output");
  } else {
    told["subject"] = who + (event == "run.canceled" ? " was canceled" : " failed");
    told["text"] = fmt::format("{}: {}", text("error_type"), text("error"));
  }
}

// What is known of an approval by the time it is told.
void add_approval(Json& told, const platform::Approval& approval, const Redaction& redaction) {
  told["arguments"] = redaction.apply(excerpt(approval.arguments));
  if (approval.expires_at) told["expires_at"] = iso_time(*approval.expires_at);
  if (!approval.question.empty()) told["kind"] = "question";
  if (approval.status == platform::ApprovalStatus::kPending) return;
  told["outcome"] = to_string(approval.status);
  told["decided_by"] = approval.decided_by;
  told["comment"] = redaction.apply(excerpt(approval.comment));
  if (approval.status == platform::ApprovalStatus::kAnswered)
    told["answer"] = redaction.apply(excerpt(approval.edited_arguments));
}

// Under which key it is kept where somebody was asked, for the message that tells him what became of it.
std::string place_of_asking(const std::string& approval, const Notified& one) {
  return "notified:" + sha256_hex(approval + "\n" + dump_json(notify_json({one})));
}

// Slack's `ts`, or the key that a Message-ID is made of.
std::string place_in(const std::string& ending, const std::string& key) {
  const Json said = parse_json(ending);
  return said.is_object() ? said.value("ts", key) : key;
}

}  // namespace

void Activities::notify(activity::Context& ctx, const NotifyInput& in) {
  const std::vector<Notified> all = notified(in);
  if (in.target >= all.size()) return;
  const Notified& one = all[in.target];
  const std::string event = name_of(in);
  ToolSpec message = one.message;
  message.name = event;
  Json told = {{"event", event}, {"run", in.run}, {"agent", in.agent}, {"version", in.version}};
  for (const auto& [name, value] : in.data.items()) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) told[name] = value;
  }
  ToolContext context;
  const bool asks = in.event == NotifyEvent::kApproval;
  const std::string id = in.data.value("approval", "");
  if (asks || in.event == NotifyEvent::kDecided) {
    const auto approval = require(deps_.store->approval(id), "the approval");
    add_approval(told, approval, *redaction());
    context.asks_question = !approval.question.empty();
    if (asks && !one.recipient.empty() && deps_.make_link) {
      // Decided meanwhile: there is nobody to ask any more.
      if (approval.status != platform::ApprovalStatus::kPending) return;
      context.decide_url = require(deps_.make_link(id, one.recipient, fmt::format("{}/{}", in.id, in.target)),
                                   "the link of the approval");
      told["link"] = context.decide_url;
    }
  }
  if (in.event == NotifyEvent::kDecided) {
    const auto place = require(deps_.store->lookup_step(place_of_asking(id, one)), "where it was asked");
    if (place) context.follows = Json::parse(place->result).value("place", "");
  }
  describe(told, event);
  Beat beat(ctx);
  const auto permits = deps_.grants->of(in.version);
  context.idempotency_key = sha256_hex(fmt::format("{}/{}", in.id, in.target));
  context.stop = beat.token();
  context.beat = [&beat] { beat(); };
  context.http = deps_.http;
  context.clock = deps_.clock;
  context.permits = permits.get();
  const auto secrets = redaction();
  context.redaction = secrets.get();
  const ActivityTool* type = find_activity_tool(message.type->name);
  if (!type) throw ApplicationFailure::non_retryable("nobody is told by such a tool", "UNIMPLEMENTED");
  const ToolEnding ending = type->run(message, told, context);
  if (ending.ending == Ending::kDone && asks) {
    platform::StepWrite write;
    write.key = place_of_asking(id, one);
    write.run = in.run;
    write.result = dump_json(Json{{"place", place_in(ending.text, context.idempotency_key)}});
    require(deps_.store->commit_step(write), "keeping where it was asked");
  }
  if (ending.ending == Ending::kDone) return;
  // Whatever it was may be mended meanwhile: a receiver that is down, a grant, a secret.
  std::optional<::holdfast::Duration> delay;
  if (ending.retry_after) delay = *ending.retry_after;
  throw ApplicationFailure(bounded_text(redaction()->apply(ending.text), 2000), "NotifyError", false, {},
                           delay);
}

}  // namespace holdfast::agent
