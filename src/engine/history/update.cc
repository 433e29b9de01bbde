#include "history/update.h"

#include <algorithm>
#include <utility>

#include "base/transition.h"
#include "history/apply.h"

namespace holdfast::history::update {
namespace {

enum class On : std::uint8_t { kSend, kTaskLost, kAccept, kReject, kComplete };

constexpr Transition<UpdateStage, On> kRows[] = {
    {UpdateStage::kAdmitted, On::kSend, UpdateStage::kSent},
    {UpdateStage::kSent, On::kSend, UpdateStage::kSent},
    {UpdateStage::kSent, On::kTaskLost, UpdateStage::kAdmitted},
    {UpdateStage::kSent, On::kAccept, UpdateStage::kAccepted},
    {UpdateStage::kSent, On::kReject, UpdateStage::kRejected},
    // A crash or a lost task forgot that it was sent.
    {UpdateStage::kAdmitted, On::kAccept, UpdateStage::kAccepted},
    {UpdateStage::kAdmitted, On::kReject, UpdateStage::kRejected},
    {UpdateStage::kAccepted, On::kComplete, UpdateStage::kCompleted},
};
const TransitionTable kTable("update", rows(UpdateStage::kAdmitted, kRows));

constexpr char kTypePrefix[] = "type.googleapis.com/";

template <typename Body>
void pack(const Body& body, google::protobuf::Any* any) {
  any->set_type_url(kTypePrefix + Body::descriptor()->full_name());
  any->set_value(serialize(body));
}

Event accepted(Ns now, const std::string& update_id, const pb::update::v1::Acceptance& acceptance,
               pb::update::v1::Request request) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED>(now);
  auto& attributes = *event.mutable_workflow_execution_update_accepted_event_attributes();
  attributes.set_protocol_instance_id(update_id);
  attributes.set_accepted_request_message_id(acceptance.accepted_request_message_id());
  attributes.set_accepted_request_sequencing_event_id(acceptance.accepted_request_sequencing_event_id());
  *attributes.mutable_accepted_request() = std::move(request);
  return event;
}

Event completed(Ns now, const std::string& update_id, std::int64_t accepted_event_id,
                const pb::update::v1::Response& response) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED>(now);
  auto& attributes = *event.mutable_workflow_execution_update_completed_event_attributes();
  *attributes.mutable_meta() = response.meta();
  if (attributes.meta().update_id().empty()) attributes.mutable_meta()->set_update_id(update_id);
  attributes.set_accepted_event_id(accepted_event_id);
  *attributes.mutable_outcome() = response.outcome();
  return event;
}

std::optional<std::string> accept(MutableState& ms, Ns now, const std::string& update_id,
                                  pb::update::v1::Acceptance acceptance) {
  Update* update = ms.updates().find(update_id);
  if (update == nullptr) {
    // Lost with the process that admitted it; the worker sent the request back.
    if (!acceptance.has_accepted_request() || acceptance.accepted_request().meta().update_id() != update_id) {
      return "update " + update_id + " is not known here and its acceptance carries no request";
    }
    if (ms.update_by_id(update_id) != nullptr) return "update " + update_id + " was accepted before";
    update = &ms.updates().admit(acceptance.accepted_request());
  }
  const auto next = kTable.next(update->stage, On::kAccept);
  if (!next) return "update " + update_id + " cannot be accepted: it was answered before";
  update->accepted_event_id =
      ms.record(accepted(now, update_id, acceptance, std::exchange(update->request, {})));
  update->stage = *next;
  ms.effects().updates = true;
  return std::nullopt;
}

std::optional<std::string> complete(MutableState& ms, Ns now, const std::string& update_id,
                                    pb::update::v1::Response response) {
  const auto* info = ms.update_by_id(update_id);
  if (info == nullptr) return "update " + update_id + " was not accepted";
  if (info->completed_event_id() != 0) return "update " + update_id + " was completed before";
  // The registry may have forgotten it; the record has not.
  Update& update = ms.updates().put(update_id);
  update.stage = kTable.step(UpdateStage::kAccepted, On::kComplete);
  update.accepted_event_id = info->accepted_event_id();
  ms.record(completed(now, update_id, update.accepted_event_id, response));
  update.outcome = std::move(*response.mutable_outcome());
  ms.effects().updates = true;
  return std::nullopt;
}

std::optional<std::string> reject(MutableState& ms, const std::string& update_id,
                                  pb::update::v1::Rejection rejection) {
  Update* update = ms.updates().find(update_id);
  if (update == nullptr) return std::nullopt;  // the one who asked went with the process; nobody waits
  const auto next = kTable.next(update->stage, On::kReject);
  if (!next) return "update " + update_id + " cannot be rejected: it was accepted";
  update->stage = *next;
  update->outcome.emplace();
  update->outcome->mutable_failure()->Swap(rejection.mutable_failure());
  ms.effects().updates = true;
  return std::nullopt;
}

template <typename Body>
bool unpack(const google::protobuf::Any& any, Body* body) {
  return any.type_url().ends_with(Body::descriptor()->full_name()) && body->ParseFromString(any.value());
}

}  // namespace

void add_messages(MutableState& ms, bool resend,
                  google::protobuf::RepeatedPtrField<pb::protocol::v1::Message>* messages) {
  const std::int64_t sequencing = ms.s().workflow_task().started_event_id() - 1;
  for (auto& [id, update] : ms.updates().waiting(resend)) {
    update->stage = kTable.step(update->stage, On::kSend);
    auto& message = *messages->Add();
    message.set_id(id + "/request");
    message.set_protocol_instance_id(id);
    message.set_event_id(sequencing);
    pack(update->request, message.mutable_body());
  }
}

bool is_rejection(const pb::protocol::v1::Message& message) {
  return message.body().type_url().ends_with(pb::update::v1::Rejection::descriptor()->full_name());
}

std::optional<std::string> apply_message(MutableState& ms, Ns now, const pb::protocol::v1::Message& message) {
  const std::string& id = message.protocol_instance_id();
  if (id.empty()) return "a protocol message has no protocol_instance_id";
  pb::update::v1::Acceptance acceptance;
  if (unpack(message.body(), &acceptance)) return accept(ms, now, id, std::move(acceptance));
  pb::update::v1::Rejection rejection;
  if (unpack(message.body(), &rejection)) return reject(ms, id, std::move(rejection));
  pb::update::v1::Response response;
  if (unpack(message.body(), &response)) return complete(ms, now, id, std::move(response));
  return "a protocol message has an unknown body " + message.body().type_url();
}

void reject_unanswered(MutableState& ms) {
  for (auto& [id, update] : ms.updates().all()) {
    if (update.stage != UpdateStage::kSent) continue;
    update.stage = kTable.step(update.stage, On::kReject);
    auto& failure = *update.outcome.emplace().mutable_failure();
    failure.set_message(
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update "
        "is not supported by the worker.");
    failure.set_source("Server");
    failure.mutable_application_failure_info()->set_type("UnprocessedUpdate");
    failure.mutable_application_failure_info()->set_non_retryable(true);
    ms.effects().updates = true;
  }
}

void unsend(MutableState& ms) {
  for (auto& [id, update] : ms.updates().all()) {
    if (update.stage == UpdateStage::kSent) update.stage = kTable.step(update.stage, On::kTaskLost);
  }
}

Failure completed_workflow_failure() {
  Failure failure;
  failure.set_message("Workflow Update failed because the Workflow completed before the Update completed.");
  failure.set_source("Server");
  failure.mutable_application_failure_info()->set_type("AcceptedUpdateCompletedWorkflow");
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return failure;
}

void fail_all_at_close(MutableState& ms) {
  for (auto& [id, update] : ms.updates().all()) {
    if (update.stage != UpdateStage::kAccepted) continue;
    update.stage = kTable.step(update.stage, On::kComplete);
    *update.outcome.emplace().mutable_failure() = completed_workflow_failure();
  }
  ms.effects().updates = true;
}

void apply_accepted(Record& record, const Event& event) {
  stored::UpdateInfo info;
  info.set_update_id(event.workflow_execution_update_accepted_event_attributes().protocol_instance_id());
  info.set_accepted_event_id(event.event_id());
  record.add_update(std::move(info));
}

void apply_completed(Record& record, const Event& event) {
  record.update_completed(event.workflow_execution_update_completed_event_attributes().accepted_event_id(),
                          event.event_id());
}

}  // namespace holdfast::history::update
