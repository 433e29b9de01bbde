// Runs, steered: messages, pause, resume, and the end of what is parked.

#include <fmt/format.h>

#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "platform/audit_rules.h"
#include "protocol/events.h"
#include "protocol/flow_run.h"
#include "protocol/names.h"
#include "protocol/steering.h"
#include "protocol/undo.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using protocol::Json;

constexpr std::size_t kMaxShown = 4000;  // of a message, in an event

Payload argument(const Json& value) {
  return Payload({{"encoding", "json/plain"}}, dump_json(value));
}

// The text first, then the word that it is there.
Result<protocol::SentMessage> store_message(platform::Store& store, const SteerRequest& request,
                                            const std::string& id) {
  protocol::MessageText text;
  text.text = request.text;
  text.by = request.by;
  platform::StepWrite write;
  write.key = "message:" + sha256_hex(request.run + "\n" + id);
  write.run = request.run;
  write.result = dump_json(Json(text));
  write.said.push_back(platform::rules::audit_of_message(request.run, id, request.by, request.text));
  auto stored = store.commit_step(write);
  if (!stored) return fail(stored.error());
  if (stored->result != write.result) {
    return fail(with_fault(Code::kAlreadyExists, RunFault::kMessageExists,
                           fmt::format("another message into this run has the id '{}'", id)));
  }
  protocol::SentMessage out;
  out.id = id;
  out.key = write.key;
  out.by = request.by;
  return out;
}

// Of an agent, as people say them.
Result<std::string> version_hash(platform::Store& store, const std::string& agent,
                                 const std::string& version) {
  auto found = version == "current" ? store.current_definition(agent) : store.definition(agent, version);
  if (found) return found->hash;
  if (found.error().code() != Code::kNotFound) return fail(found.error());
  return fail(with_fault(Code::kNotFound, RunFault::kVersionNotFound,
                         fmt::format("agent '{}' has no version '{}'", agent, version)));
}

// Of what is asked of a run under an id.
std::string update_id(SteerKind kind, const std::string& id) {
  return fmt::format("{}-{}", static_cast<int>(kind), sha256_hex(id));
}

std::string received_key(const std::string& update) {
  return "message/" + update + "/received";
}

Result<SteeringSender::Update> update_of(Runs::Impl& impl, const platform::RunRecord& run,
                                         const SteerRequest& request) {
  SteeringSender::Update update;
  update.run = request.run;
  const std::string id = request.id.empty() ? new_uuid(impl.deps.environment->random()) : request.id;
  update.id = update_id(request.kind, id);
  switch (request.kind) {
    case SteerKind::kMessage: {
      auto message = store_message(impl.store(), request, id);
      if (!message) return fail(message.error());
      update.name = protocol::kMessageUpdate;
      update.argument = argument(Json(*message));
      break;
    }
    case SteerKind::kPause: {
      protocol::PauseRequest pause;
      pause.by = request.by;
      pause.reason = request.reason;
      update.name = protocol::kPauseUpdate;
      update.argument = argument(Json(pause));
      break;
    }
    case SteerKind::kResume: {
      protocol::ResumeRequest resume;
      resume.by = request.by;
      if (!request.version.empty()) {
        auto hash = version_hash(impl.store(), run.agent, request.version);
        if (!hash) return fail(hash.error());
        resume.version = *hash;
      }
      update.name = protocol::kResumeUpdate;
      update.argument = argument(Json(resume));
      break;
    }
    case SteerKind::kGiveUp: {
      protocol::GiveUpRequest end;
      end.by = request.by;
      end.reason = request.reason;
      update.name = protocol::kGiveUpUpdate;
      update.argument = argument(Json(end));
      break;
    }
  }
  return update;
}

// Flows and runs that take effects back are not spoken to, and nothing holds them. Theirs is no such update;
// asked here, a message is not stored that nobody reads.
Status check_steered(Runs::Impl& impl, const platform::RunRecord& run, SteerKind kind) {
  const auto origin = impl.store().origin(run.run);
  if (!origin) return origin.error();
  const bool undoes = *origin && protocol::is_undo_state((*origin)->state);
  const bool is_flow = protocol::is_flow(run.agent) && !protocol::block_of_agent(run.agent);
  if (!undoes && !is_flow) return {};
  const auto why = [kind]() -> std::string_view {
    switch (kind) {
      case SteerKind::kMessage: return "takes no messages";
      case SteerKind::kPause: return "cannot be paused; it can be cancelled";
      case SteerKind::kResume: return "is never paused or parked, so there is nothing to resume";
      case SteerKind::kGiveUp: return "is never parked, so there is no failure to end it with";
    }
    return "";
  };
  return with_fault(Code::kFailedPrecondition, RunFault::kSteeringRefused,
                    fmt::format("run '{}' {}: it {}", run.run,
                                undoes ? "takes back what another one did" : "is a flow's", why()));
}

// What a message says is recorded where it is stored.
Status record(platform::Store& store, const SteerRequest& request) {
  const auto action = [&]() -> std::string_view {
    switch (request.kind) {
      case SteerKind::kMessage: return "";
      case SteerKind::kPause: return platform::kRunPause;
      case SteerKind::kResume: return platform::kRunResume;
      case SteerKind::kGiveUp: return platform::kRunFail;
    }
    return "";
  }();
  if (action.empty()) return {};
  return store.audit(
      platform::rules::audit_of_request(action, request.run, request.by, request.reason, request.version));
}

}  // namespace

Result<bool> Runs::has_received(const std::string& run, const std::string& message) {
  auto event = impl_->deps.streams->find(run, received_key(update_id(SteerKind::kMessage, message)));
  if (!event) return fail(event.error());
  return event->has_value();
}

void Runs::steer(const SteerRequest& request, std::chrono::milliseconds answer_within, SteerDone done) {
  auto run = find(request.run);
  if (!run) return done(fail(run.error()));
  const RunStatus status = impl_->standing_of(*run).status;
  if (is_closed(status)) {
    return done(fail(with_fault(Code::kFailedPrecondition, RunFault::kRunClosed,
                                fmt::format("run '{}' is over: {}", request.run, to_string(status)))));
  }
  if (Status takes = check_steered(*impl_, *run, request.kind); !takes.ok())
    return done(fail(std::move(takes)));
  // The run could only end with it: nobody is there any more who could say it in another way.
  if (request.kind == SteerKind::kMessage) {
    if (Status told = check_message(request.text); !told.ok()) return done(fail(std::move(told)));
  }
  auto update = update_of(*impl_, *run, request);
  if (!update) return done(fail(update.error()));
  if (Status recorded = record(impl_->store(), request); !recorded.ok()) return done(fail(recorded));
  if (request.kind != SteerKind::kMessage)
    return impl_->steering->send(*std::move(update), answer_within, std::move(done));
  // People who watch see it come; the run says itself when a model call has seen it.
  auto told = [streams = impl_->deps.streams, request, id = update->id,
               done = std::move(done)](Result<std::string> answer) mutable {
    if (answer) {
      Json event = {{"by", request.by}, {"text", bounded_text(request.text, kMaxShown)}};
      // By which `message.seen` names it, too.
      const Json said = parse_json<Json>(*answer);
      if (said.is_object() && said.contains("id")) event["id"] = said["id"];
      (void)streams->publish(request.run, protocol::event::kMessageReceived, dump_json(event),
                             received_key(id));
    }
    done(std::move(answer));
  };
  impl_->steering->send(*std::move(update), answer_within, std::move(told));
}

}  // namespace holdfast::runs
