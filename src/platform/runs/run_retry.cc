// A closed run is taken up by a new one, which goes on with its conversation behind what was done.

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "platform/run_environment.h"
#include "platform/trace_context.h"
#include "protocol/call.h"
#include "protocol/flow_run.h"
#include "protocol/fork.h"
#include "protocol/names.h"
#include "protocol/undo.h"
#include "runs/run_undo.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using protocol::Json;

Status cannot(const std::string& run, std::string_view why) {
  return with_fault(Code::kFailedPrecondition, RunFault::kNotRetried,
                    fmt::format("run '{}' cannot be taken up: {}", run, why));
}

// So that two who take up the same run start one.
std::string default_id(const std::string& run) {
  constexpr std::string_view kSuffix = ".retry";
  if (run.size() + kSuffix.size() <= kMaxIdBytes) return run + std::string(kSuffix);
  return "retry-" + sha256_hex(run);
}

// Whether the id is that of a run that takes back what this one did.
bool is_undo_of(const std::string& id, const std::string& run) {
  for (int nth = 1; nth <= kMaxUndoRuns; ++nth) {
    if (id == undo_id(run, nth)) return true;
  }
  return false;
}

// The run whose effects this one takes back; empty: it does something else.
Result<std::string> undone_by(Runs::Impl& impl, const std::string& run) {
  std::string out;
  auto origin = impl.store().origin(run);
  // Earlier versions took up a run that undoes by one that had it as its origin.
  for (int i = 0; i < kMaxUndoRuns && origin && *origin && protocol::is_undo_state((*origin)->state); ++i) {
    out = (*origin)->origin;
    origin = impl.store().origin(out);
  }
  if (!origin) return fail(origin.error());
  return out;
}

// Those that take back what one run did come one behind the other: two at once would each find a call
// interrupted that the other one is making.
Result<StartedRun> undo_again(Runs& runs, const RetryRequest& request, const std::string& undone) {
  if (!request.id.empty())
    return fail(cannot(request.run,
                       "the next run that takes the same effects back has an id of its own; leave `id` out"));
  return runs.undo({.run = undone, .by = request.by, .reason = {}});
}

// What was taken back on request, or by a flow that failed, is not done again by halves: what came behind it
// in the flow stands.
Status undone_before(Runs::Impl& impl, const std::string& run, const platform::RunRecord& record) {
  const auto undo = impl.store().origin(undo_id(run));
  if (!undo) return undo.error();
  if (*undo && (*undo)->origin == run && impl.store().run((*undo)->run))
    return cannot(run, fmt::format("run '{}' takes back what it did; start a new run", (*undo)->run));
  if (!protocol::is_flow(record.agent)) return {};
  auto status = impl.client.workflow(run).query<Json>(protocol::kStatusQuery);
  if (!status) return status.error();
  if (status->contains("undone") || status->value("phase", "") == "undoing")  // it was terminated in there
    return cannot(run, "it has taken back what it did; start a new run");
  return {};
}

// What the closed run leaves to go on from.
Status check_left(Runs::Impl& impl, const std::string& run, const Standing& standing) {
  if (standing.history_deleted) return cannot(run, "its history was deleted");
  const auto unkept = impl.store().unkept_run(run);
  if (!unkept) return unkept.error();
  if (*unkept) return cannot(run, "nothing of it is kept");
  if (standing.outcome && !has_work_left(*standing.outcome))
    return cannot(run, "it is complete, and nothing is left to do");
  return {};
}

// As the run was started that is taken up: its context, its limits, who is told. But in a trace of its own,
// from no place but its end, and asked for by somebody else.
std::string settings_again(const std::string& stored) {
  Json out = stored.empty() ? Json::object() : parse_json<Json>(stored);
  if (!out.is_object()) return {};
  out.erase(std::string(platform::kTraceSetting));
  out.erase(std::string(protocol::kForkSetting));
  out.erase("started_by");
  return out.empty() ? std::string() : dump_json(out);
}

}  // namespace

Status Runs::Impl::check_closed(const std::string& run, const Standing& standing) {
  if (is_closed(standing.status)) return {};
  return with_fault(Code::kFailedPrecondition, RunFault::kRunOpen,
                    fmt::format("run '{}' is not over: {}", run, to_string(standing.status)));
}

Result<platform::StartIntent> Runs::Impl::intent_behind(const platform::RunRecord& run,
                                                        const platform::Origin& origin) {
  const auto settings = store().run_settings(run.run);
  if (!settings) return fail(settings.error());
  platform::StartIntent intent;
  intent.run = origin.run;
  intent.environment = platform::environment_in(*settings);
  intent.started_by = origin.by;
  intent.agent = run.agent;
  return intent;
}

Result<StartedRun> Runs::retry(const RetryRequest& request) {
  auto run = impl_->store().run(request.run);
  if (!run && run.error().code() == Code::kNotFound) {
    auto child = find(request.run);
    return fail(child ? cannot(request.run, "it is a sub-agent's; take up the run that called it")
                      : child.error());
  }
  if (!run) return fail(run.error());
  const Standing standing = impl_->standing_of(*run);
  if (Status over = Impl::check_closed(request.run, standing); !over.ok()) return fail(std::move(over));
  if (Status left = check_left(*impl_, request.run, standing); !left.ok()) return fail(std::move(left));

  const auto undone = undone_by(*impl_, request.run);
  if (!undone) return fail(undone.error());
  if (!undone->empty()) return undo_again(*this, request, *undone);

  platform::Origin origin;
  origin.run = request.id.empty() ? default_id(request.run) : request.id;
  origin.origin = request.run;
  origin.by = request.by;
  if (Status valid = check_run_id(origin.run); !valid.ok()) return fail(std::move(valid));
  const auto other = impl_->store().origin(origin.run);
  if (!other) return fail(other.error());
  const bool taken = impl_->store().run(origin.run).has_value();
  const bool is_other_work =
      *other && ((*other)->state == protocol::kForkOrigin || is_undo_of(origin.run, request.run));
  if (taken && (!*other || (*other)->origin != request.run || is_other_work)) {
    return fail(with_fault(Code::kAlreadyExists, RunFault::kRunExists,
                           fmt::format("another run has the id '{}'", origin.run)));
  }
  // The same request again: what it made.
  if (taken) return impl_->same_again(*impl_->store().run(origin.run));
  if (Status same = undone_before(*impl_, request.run, *run); !same.ok()) return fail(std::move(same));
  // It stands in that conversation's line, and is found there.
  std::string goes_on_in = run->conversation;
  // What a flow's blocks came to is in the store. Else a closed workflow still says how far it came.
  if (!protocol::is_flow(run->agent)) {
    auto status = impl_->client.workflow(request.run).query<Json>(protocol::kStatusQuery);
    if (!status) return fail(status.error());
    const auto conversation = status->find("conversation");
    const bool begun =
        conversation != status->end() && conversation->get<protocol::ConversationRef>().sequence > 0;
    if (begun) {
      Json state = {{"conversation", *conversation}};
      for (const char* name : {"undone", "code"}) {
        if (status->contains(name)) state[name] = (*status)[name];
      }
      origin.state = dump_json(state);
      goes_on_in = conversation->get<protocol::ConversationRef>().conversation;
    }
  }
  if (auto stored = impl_->store().put_origin(origin); !stored) return fail(stored.error());

  auto behind = impl_->intent_behind(*run, origin);
  if (!behind) return fail(behind.error());
  platform::StartIntent& intent = *behind;
  intent.definition_hash = request.version.empty()        ? run->definition_hash
                           : request.version == "current" ? std::string()
                                                          : request.version;
  intent.input = run->input;
  const auto settings = impl_->store().run_settings(request.run);
  if (!settings) return fail(settings.error());
  intent.conversation = std::move(goes_on_in);
  intent.settings = settings_again(*settings);
  intent.fingerprint = "retry:" + sha256_hex(request.run + "\n" + intent.definition_hash);
  return start(std::move(intent));
}

}  // namespace holdfast::runs
