#include "history/commands.h"

#include <algorithm>
#include <map>

#include "history/activity.h"
#include "history/child_workflow.h"
#include "history/cron.h"
#include "history/external.h"
#include "history/failures.h"
#include "history/lifecycle.h"
#include "history/properties.h"
#include "history/retry.h"
#include "history/timer.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::history {
namespace {

using Command = pb::command::v1::Command;
using Wrong = std::optional<CommandError>;  // nothing: it was right

CommandError bad(enums::WorkflowTaskFailedCause cause, std::string message) {
  return {.cause = cause, .message = std::move(message)};
}

bool is_close(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;
}

// "invalid command sequence: [CompleteWorkflowExecution, StartTimer], command ..."; names so many.
std::string sequence_error(const google::protobuf::RepeatedPtrField<Command>& commands, int close) {
  constexpr int kMostNames = 20;
  std::string names;
  for (int i = 0; i < std::min(commands.size(), kMostNames); ++i) {
    names += (i == 0 ? "" : ", ") + command_name(commands[i].command_type());
  }
  return "invalid command sequence: [" + names + "], command " +
         command_name(commands[close].command_type()) + " must be the last command.";
}

// As what a command without attributes fails its workflow task. UNSPECIFIED: it is not known at all.
enums::WorkflowTaskFailedCause cause_without_attributes(enums::CommandType type) {
  switch (type) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
    case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
    case enums::COMMAND_TYPE_START_TIMER: return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
    case enums::COMMAND_TYPE_CANCEL_TIMER:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
    case enums::COMMAND_TYPE_RECORD_MARKER:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
      return enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
    default: return enums::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  }
}

class Applier {
 public:
  Applier(MutableState& ms, CommandContext& context,
          std::map<std::string, const pb::protocol::v1::Message*> messages)
      : ms_(ms), context_(context), messages_(std::move(messages)) {}

  Wrong apply(Command* command) {
    const auto nameless = cause_without_attributes(command->command_type());
    if (nameless != enums::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED &&
        command->attributes_case() == Command::ATTRIBUTES_NOT_SET) {
      const std::string name = command_name(command->command_type());
      return bad(nameless, name + "CommandAttributes is not set on " + name + "Command.");
    }
    switch (command->command_type()) {
      case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
        return schedule_activity(command->mutable_schedule_activity_task_command_attributes());
      case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
        return cancel_activity(command->request_cancel_activity_task_command_attributes());
      case enums::COMMAND_TYPE_START_TIMER: return start_timer(command->start_timer_command_attributes());
      case enums::COMMAND_TYPE_CANCEL_TIMER: return cancel_timer(command->cancel_timer_command_attributes());
      case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
        return complete(command->mutable_complete_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        return fail(command->mutable_fail_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
        return cancel(command->mutable_cancel_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
        return continue_as_new(command->mutable_continue_as_new_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_RECORD_MARKER:
        return record_marker(command->mutable_record_marker_command_attributes());
      case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        return upsert(command->mutable_upsert_workflow_search_attributes_command_attributes());
      case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
        return modify(command->mutable_modify_workflow_properties_command_attributes());
      case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
        return start_child(command->mutable_start_child_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
        return signal_external(command->mutable_signal_external_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
        return cancel_external(
            command->mutable_request_cancel_external_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
        return protocol_message(command->protocol_message_command_attributes().message_id());
      default:
        return CommandError{.message = "This server does not know the command type " +
                                       command_name(command->command_type()) + ".",
                            .invalid_request = true};
    }
  }

  Wrong rest_of_messages(const google::protobuf::RepeatedPtrField<pb::protocol::v1::Message>& all) {
    for (const auto& message : all) {
      if (!messages_.contains(message.id()) || !ms_.running()) continue;
      if (auto wrong = protocol_message(message.id())) return wrong;
    }
    return std::nullopt;
  }

 private:
  bool too_large(const google::protobuf::Message& message) const {
    return static_cast<std::int64_t>(message.ByteSizeLong()) > context_.limits.blob_bytes;
  }
  static Wrong oversized(enums::WorkflowTaskFailedCause cause, const char* what) {
    return CommandError{
        .cause = cause, .message = std::string(what) + " exceeds size limit.", .terminate = true};
  }

  Wrong schedule_activity(pb::command::v1::ScheduleActivityTaskCommandAttributes* attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
    if (std::string wrong = activity::prepare(attributes, ms_.s(), context_.limits); !wrong.empty()) {
      return bad(kBad, std::move(wrong));
    }
    if (too_large(attributes->input())) return oversized(kBad, "ScheduleActivityTaskCommandAttributes.Input");
    if (ms_.held().activities.size() >= context_.limits.pending_activities) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
                 "the number of pending activities, " + std::to_string(ms_.held().activities.size()) +
                     ", has reached the per-workflow limit of " +
                     std::to_string(context_.limits.pending_activities));
    }
    if (ms_.activity_by_id(attributes->activity_id()) != nullptr) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
                 "Activity with ID " + attributes->activity_id() + " is already pending.");
    }
    const bool eager =
        attributes->request_eager_execution() && attributes->task_queue().name() == ms_.s().task_queue();
    const auto id = activity::schedule(ms_, context_.now, context_.completed_event_id, attributes);
    if (eager) context_.eager.push_back(id);
    return std::nullopt;
  }

  Wrong cancel_activity(const pb::command::v1::RequestCancelActivityTaskCommandAttributes& attributes) {
    const auto id = attributes.scheduled_event_id();
    if (id <= 0 || id >= ms_.s().next_event_id()) {
      return bad(
          enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
          "RequestCancelActivityTaskCommand names no scheduled activity: event " + std::to_string(id) + ".");
    }
    // An activity that ended while the worker decided is no mistake; one whose end the worker has seen is.
    if (!activity::request_cancel(ms_, context_.now, context_.completed_event_id, id, context_.identity)) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
                 "RequestCancelActivityTaskCommand names an activity that has ended: event " +
                     std::to_string(id) + ".");
    }
    return std::nullopt;
  }

  Wrong start_timer(const pb::command::v1::StartTimerCommandAttributes& attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
    if (attributes.timer_id().empty()) return bad(kBad, "TimerId is not set on StartTimerCommand.");
    if (attributes.timer_id().size() > static_cast<std::size_t>(context_.limits.id_bytes)) {
      return bad(kBad, "TimerId on StartTimerCommand exceeds length limit.");
    }
    const Ns duration = to_ns(attributes.start_to_fire_timeout());
    if (duration < 0)
      return bad(kBad, "An invalid StartToFireTimeout is set on StartTimerCommand: negative duration.");
    if (ms_.timer_by_id(attributes.timer_id()) != nullptr) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
                 "Timer with ID " + attributes.timer_id() + " is already running.");
    }
    if (ms_.held().timers.size() >= context_.limits.pending_timers) {
      return bad(kBad, "the number of running timers has reached the per-workflow limit of " +
                           std::to_string(context_.limits.pending_timers));
    }
    timer::start(ms_, context_.now, context_.completed_event_id, attributes.timer_id(), duration);
    return std::nullopt;
  }

  Wrong cancel_timer(const pb::command::v1::CancelTimerCommandAttributes& attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
    if (attributes.timer_id().empty()) return bad(kBad, "TimerId is not set on CancelTimerCommand.");
    if (!timer::cancel(ms_, context_.now, context_.completed_event_id, attributes.timer_id(),
                       context_.identity)) {
      return bad(kBad, "Timer with ID " + attributes.timer_id() + " is not running.");
    }
    context_.had_buffered = context_.had_buffered && !ms_.held().buffered_events.empty();
    return std::nullopt;
  }

  // May the execution end now? Not while there is something the workflow has not seen.
  Wrong may_close() const {
    if (!context_.had_buffered) return std::nullopt;
    return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, {});
  }

  lifecycle::CloseContext close_context() {
    lifecycle::CloseContext close;
    close.completed_event_id = context_.completed_event_id;
    close.identity = context_.identity;
    if (lifecycle::may_be_followed(ms_.s())) {
      close.new_run_id = context_.new_id();
      close.first_event = context_.first_event();
    }
    return close;
  }

  Wrong complete(pb::command::v1::CompleteWorkflowExecutionCommandAttributes* attributes) {
    if (auto wrong = may_close()) return wrong;
    if (too_large(attributes->result())) {
      return oversized(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
                       "CompleteWorkflowExecutionCommandAttributes.Result");
    }
    lifecycle::complete(ms_, context_.limits, context_.now,
                        attributes->has_result() ? attributes->mutable_result() : nullptr, close_context());
    return std::nullopt;
  }

  Wrong fail(pb::command::v1::FailWorkflowExecutionCommandAttributes* attributes) {
    if (auto wrong = may_close()) return wrong;
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (!attributes->has_failure()) return bad(kBad, "Failure is not set on FailWorkflowExecutionCommand.");
    if (too_large(attributes->failure()))
      return oversized(kBad, "FailWorkflowExecutionCommandAttributes.Failure");
    lifecycle::fail(ms_, context_.limits, context_.now, attributes->mutable_failure(), close_context());
    return std::nullopt;
  }

  Wrong cancel(pb::command::v1::CancelWorkflowExecutionCommandAttributes* attributes) {
    if (auto wrong = may_close()) return wrong;
    lifecycle::cancel(ms_, context_.now, attributes->has_details() ? attributes->mutable_details() : nullptr,
                      {.completed_event_id = context_.completed_event_id, .identity = context_.identity});
    return std::nullopt;
  }

  Wrong continue_as_new(pb::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes* attributes) {
    if (auto wrong = may_close()) return wrong;
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
    for (const auto& [name, duration] :
         {std::pair("WorkflowRunTimeout", &attributes->workflow_run_timeout()),
          std::pair("WorkflowTaskTimeout", &attributes->workflow_task_timeout()),
          std::pair("BackoffStartInterval", &attributes->backoff_start_interval())}) {
      if (to_ns(*duration) >= 0) continue;
      return bad(kBad, std::string("Invalid ") + name +
                           " on ContinueAsNewWorkflowExecutionCommand: negative duration.");
    }
    if (std::string wrong = retry::problem(attributes->retry_policy()); !wrong.empty())
      return bad(kBad, wrong);
    if (std::string wrong = cron::problem(attributes->cron_schedule()); !wrong.empty())
      return bad(kBad, wrong);
    if (too_large(attributes->input())) {
      return oversized(kBad, "ContinueAsNewWorkflowExecutionCommandAttributes.Input");
    }
    if (attributes->has_search_attributes()) {
      if (auto wrong =
              search_attributes(context_.namespace_name, attributes->mutable_search_attributes(), kBad,
                                "invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: "))
        return wrong;
    }
    lifecycle::CloseContext close;
    close.completed_event_id = context_.completed_event_id;
    close.identity = context_.identity;
    close.new_run_id = context_.new_id();
    lifecycle::continue_as_new(ms_, context_.now, attributes, close);
    return std::nullopt;
  }

  Wrong record_marker(pb::command::v1::RecordMarkerCommandAttributes* attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
    if (attributes->marker_name().empty()) return bad(kBad, "MarkerName is not set on RecordMarkerCommand.");
    if (too_large(*attributes)) return oversized(kBad, "RecordMarkerCommandAttributes.Details");
    properties::record_marker(ms_, context_.now, context_.completed_event_id, attributes);
    return std::nullopt;
  }

  // `in` begins what is said about a value; `oversized` is the cause when they are too large.
  Wrong search_attributes(const std::string& namespace_name, pb::common::v1::SearchAttributes* attributes,
                          enums::WorkflowTaskFailedCause oversized, const char* in) const {
    if (!context_.bad_search_attributes) return std::nullopt;
    auto wrong = context_.bad_search_attributes(namespace_name, attributes);
    if (!wrong) return std::nullopt;
    using Kind = BadSearchAttributes::Kind;
    if (wrong->kind == Kind::kSize)
      return CommandError{.cause = oversized, .message = std::move(wrong->message), .terminate = true};
    return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
               (wrong->kind == Kind::kValue ? in : "") + wrong->message);
  }

  Wrong upsert(pb::command::v1::UpsertWorkflowSearchAttributesCommandAttributes* attributes) {
    if (attributes->search_attributes().indexed_fields().empty()) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
                 std::string(attributes->has_search_attributes() ? "IndexedFields" : "SearchAttributes") +
                     " is not set on UpsertWorkflowSearchAttributesCommand.");
    }
    if (auto wrong = search_attributes(context_.namespace_name, attributes->mutable_search_attributes(),
                                       enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, ""))
      return wrong;
    properties::upsert_search_attributes(ms_, context_.now, context_.completed_event_id, attributes);
    return std::nullopt;
  }

  Wrong modify(pb::command::v1::ModifyWorkflowPropertiesCommandAttributes* attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
    if (attributes->upserted_memo().fields().empty()) {
      return bad(kBad, std::string(attributes->has_upserted_memo() ? "UpsertedMemo.Fields" : "UpsertedMemo") +
                           " is not set on ModifyWorkflowPropertiesCommand.");
    }
    if (static_cast<std::int64_t>(attributes->upserted_memo().ByteSizeLong()) > context_.limits.memo_bytes) {
      return oversized(kBad, "ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo");
    }
    properties::modify(ms_, context_.now, context_.completed_event_id, attributes);
    return std::nullopt;
  }

  // The target namespace; nothing: unknown.
  std::optional<std::pair<std::string, std::string>> target_namespace(const std::string& name) const {
    if (name.empty() || name == context_.namespace_name) {
      return std::pair(context_.namespace_name, ms_.s().namespace_id());
    }
    auto id = context_.namespace_id(name);
    if (!id) return std::nullopt;
    return std::pair(name, *std::move(id));
  }

  Wrong start_child(pb::command::v1::StartChildWorkflowExecutionCommandAttributes* attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
    if (std::string wrong = child_workflow::prepare(attributes, ms_.s(), context_.limits); !wrong.empty()) {
      return bad(kBad, std::move(wrong));
    }
    if (too_large(attributes->input()))
      return oversized(kBad, "StartChildWorkflowExecutionCommandAttributes.Input");
    if (ms_.held().children.size() >= context_.limits.pending_children) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
                 "the number of pending child workflow executions has reached the per-workflow limit of " +
                     std::to_string(context_.limits.pending_children));
    }
    const auto target = target_namespace(attributes->namespace_());
    if (!target) return bad(kBad, "Namespace " + attributes->namespace_() + " is not found.");
    if (attributes->has_search_attributes()) {
      if (auto wrong = search_attributes(target->first, attributes->mutable_search_attributes(), kBad,
                                         "invalid SearchAttributes on StartChildWorkflowCommand: "))
        return wrong;
    }
    child_workflow::initiate(ms_, context_.now, context_.completed_event_id, attributes, target->first,
                             target->second, context_.new_id());
    return std::nullopt;
  }

  Wrong signal_external(pb::command::v1::SignalExternalWorkflowExecutionCommandAttributes* attributes) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (std::string wrong = external_signal::prepare(*attributes, context_.limits); !wrong.empty()) {
      return bad(kBad, std::move(wrong));
    }
    if (too_large(attributes->input())) {
      return oversized(kBad, "SignalExternalWorkflowExecutionCommandAttributes.Input");
    }
    if (ms_.held().external_signals.size() >= context_.limits.pending_signals) {
      return bad(
          enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
          "the number of pending signals to external workflows has reached the per-workflow limit of " +
              std::to_string(context_.limits.pending_signals));
    }
    const auto target = target_namespace(attributes->namespace_());
    if (!target) return bad(kBad, "Namespace " + attributes->namespace_() + " is not found.");
    external_signal::initiate(ms_, context_.now, context_.completed_event_id, attributes, target->first,
                              target->second, context_.new_id());
    return std::nullopt;
  }

  Wrong cancel_external(
      pb::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes* attributes) {
    constexpr auto kBad =
        enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (std::string wrong = external_cancel::prepare(*attributes, context_.limits); !wrong.empty()) {
      return bad(kBad, std::move(wrong));
    }
    if (ms_.held().external_cancels.size() >= context_.limits.pending_cancels) {
      return bad(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
                 "the number of pending requests to cancel external workflows has reached the per-workflow "
                 "limit of " +
                     std::to_string(context_.limits.pending_cancels));
    }
    const auto target = target_namespace(attributes->namespace_());
    if (!target) return bad(kBad, "Namespace " + attributes->namespace_() + " is not found.");
    external_cancel::initiate(ms_, context_.now, context_.completed_event_id, attributes, target->first,
                              target->second, context_.new_id());
    return std::nullopt;
  }

  Wrong protocol_message(const std::string& message_id) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
    const auto found = messages_.find(message_id);
    if (found == messages_.end()) {
      return bad(kBad, "ProtocolMessageCommand names a message that is not in the request: " + message_id);
    }
    const auto* message = found->second;
    messages_.erase(found);
    if (auto wrong = update::apply_message(ms_, context_.now, *message)) return bad(kBad, *std::move(wrong));
    return std::nullopt;
  }

  MutableState& ms_;
  CommandContext& context_;
  std::map<std::string, const pb::protocol::v1::Message*> messages_;
};

}  // namespace

std::optional<CommandError> apply_commands(MutableState& ms, ws::RespondWorkflowTaskCompletedRequest* request,
                                           CommandContext& context) {
  for (int i = 0; i + 1 < request->commands_size(); ++i) {
    if (is_close(request->commands(i).command_type())) {
      return CommandError{.message = sequence_error(request->commands(), i), .invalid_request = true};
    }
  }
  std::map<std::string, const pb::protocol::v1::Message*> messages;
  for (const auto& message : request->messages()) messages[message.id()] = &message;
  Applier applier(ms, context, std::move(messages));
  ms.set_applying_commands(true);
  std::optional<CommandError> wrong;
  for (auto& command : *request->mutable_commands()) {
    if (is_close(command.command_type())) {
      // What the worker says about updates comes before the end.
      wrong = applier.rest_of_messages(request->messages());
      if (wrong) break;
    }
    const std::int64_t next_event_id = ms.s().next_event_id();
    wrong = applier.apply(&command);
    if (wrong) break;
    ms.annotate(next_event_id, &command);
  }
  if (!wrong && ms.running()) wrong = applier.rest_of_messages(request->messages());
  ms.set_applying_commands(false);
  return wrong;
}

}  // namespace holdfast::history
