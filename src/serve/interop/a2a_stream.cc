#include "interop/a2a_stream.h"

#include <fmt/format.h>

#include "platform/run_rules.h"

namespace holdfast::interop {

namespace {

using What = RunEvent::What;

constexpr std::uint32_t kMaxQuestions = 20;

}  // namespace

Result<A2aTask> read_task(const Host& host, const std::string& run) {
  auto details = host.runs->view(run);
  if (!details) return std::unexpected(details.error());
  A2aTask out;
  out.id = run;
  out.page = fmt::format("{}/runs/{}", host.page(), run);
  const platform::RunRecord& record = details->summary.run;
  out.context = platform::rules::conversation_of(record);
  for (platform::Approval& one : details->approvals) {
    if (one.status == platform::ApprovalStatus::kPending && out.approvals.size() < kMaxQuestions)
      out.approvals.push_back(std::move(one));
  }
  out.state = task_state(details->summary.standing.status, !out.approvals.empty());
  if (const auto& outcome = details->summary.standing.outcome) out.ended_at = outcome->closed_at;
  const auto end = end_of(*details);
  out.text = end ? end->text : details->progress.partial_output;
  return out;
}

void A2aStream::greet(Messages& out) {
  tell(words_.sent(words_.task(task_, host().environment->clock().now())), out);
  if (is_terminal(task_.state)) end();
}

void A2aStream::update(TaskState state, Messages& out) {
  task_.state = state;
  tell(words_.status_update(task_, host().environment->clock().now()), out);
}

void A2aStream::fail(const Status& status, Messages& out) {
  out.push_back(rpc_error(id_, {kInternalError, status.message()}));
}

// One artifact, the answer: each answer of the model takes the place of the one before.
void A2aStream::show(const RunEvent& event, const std::string&, Messages& out) {
  switch (event.what) {
    case What::kStarted: return update(TaskState::kWorking, out);
    case What::kTextStart: fresh_ = true; return;
    case What::kText:
      return tell(words_.artifact_update(task_, event.text, !std::exchange(fresh_, false), false), out);
    case What::kApproval: {
      auto approval = pending(event.id);
      if (!approval) return;
      task_.approvals = {*std::move(approval)};
      update(TaskState::kInputRequired, out);
      return end();
    }
    case What::kDecided: return update(TaskState::kWorking, out);
    case What::kClosed:
      task_.text = event.text;
      if (!event.is_error && !event.text.empty())
        tell(words_.artifact_update(task_, event.text, false, true), out);
      update(event.name == "completed"  ? TaskState::kCompleted
             : event.name == "canceled" ? TaskState::kCanceled
                                        : TaskState::kFailed,
             out);
      return end();
    default: return;
  }
}

void A2aWait::show(const RunEvent& event, const std::string&, Messages& out) {
  const bool asked = event.what == What::kApproval && !to_the_end_ && pending(event.id);
  if (event.what != What::kClosed && !asked) return;
  const auto task = read_task(host(), run());
  if (!task) return fail(task.error(), out);
  A2aTask told = *task;
  if (event.what == What::kClosed) {  // what the log says, the engine may not say yet
    told.text = event.text;
    told.state = event.name == "completed"  ? TaskState::kCompleted
                 : event.name == "canceled" ? TaskState::kCanceled
                                            : TaskState::kFailed;
  }
  Json document = words_.task(told, host().environment->clock().now());
  out.push_back(rpc_result(id_, to_the_end_ ? std::move(document) : words_.sent(std::move(document))));
  end();
}

void A2aWait::fail(const Status& status, Messages& out) {
  out.push_back(rpc_error(id_, {kInternalError, status.message()}));
  end();
}

void A2aWait::write(const Messages& messages, const std::string&, std::string& out) const {
  for (const std::string& one : messages) out += one;
}

}  // namespace holdfast::interop
