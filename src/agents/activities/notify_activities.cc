// What a run is started with besides its input, and telling others how it goes: by the tool types that send
// messages, at least once, with an id that stays the same, so that who counts them counts one.

#include <fmt/format.h>

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

NotifyTargets Activities::notify_targets(activity::Context&, const NotifyInput& in) {
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
  }
  return "run";
}

// For people: a line, and what is to be read first.
void describe(Json& told, const std::string& event) {
  const auto text = [&](const char* name) {
    return told.contains(name) ? told[name].get<std::string>() : "";
  };
  const std::string who = fmt::format("{} ({})", text("agent"), text("run"));
  if (event == "approval.requested") {
    told["subject"] = fmt::format("{} waits for approval of {}", who, text("tool"));
    told["text"] = fmt::format("{} {}\n{}\nholdfast approve {}", text("tool"), text("arguments"),
                               text("reason"), text("approval"));
  } else if (event == "run.completed") {
    told["subject"] = who + " is done";
    told["text"] = text("output");
  } else {
    told["subject"] = who + (event == "run.canceled" ? " was canceled" : " failed");
    told["text"] = fmt::format("{}: {}", text("error_type"), text("error"));
  }
}

}  // namespace

void Activities::notify(activity::Context& ctx, const NotifyInput& in) {
  const std::vector<Notified> all = notified(in);
  if (in.target >= all.size()) return;
  const std::string event = name_of(in);
  ToolSpec message = all[in.target].message;
  message.name = event;
  Json told = {{"event", event}, {"run", in.run}, {"agent", in.agent}, {"version", in.version}};
  for (const auto& [name, value] : in.data.items()) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) told[name] = value;
  }
  if (in.event == NotifyEvent::kApproval) {
    const auto approval = require(deps_.store->approval(in.data.value("approval", "")), "the approval");
    told["arguments"] = redaction()->apply(excerpt(approval.arguments));
    if (approval.expires_at) told["expires_at"] = iso_time(*approval.expires_at);
  }
  describe(told, event);
  Beat beat(ctx);
  const auto permits = deps_.grants->of(in.version);
  ToolContext context;
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
  if (ending.ending == Ending::kDone) return;
  // Whatever it was may be mended meanwhile: a receiver that is down, a grant, a secret.
  std::optional<::holdfast::Duration> delay;
  if (ending.retry_after) delay = *ending.retry_after;
  throw ApplicationFailure(bounded_text(redaction()->apply(ending.text), 2000), "NotifyError", false, {},
                           delay);
}

}  // namespace holdfast::agent
