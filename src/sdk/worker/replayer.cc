#include <google/protobuf/util/json_util.h>

#include "holdfast/worker.h"
#include "worker/workflow_run.h"

namespace holdfast {
namespace {

Result<ReplayReport> replay(const Registry& registry, const pb::history::v1::History& history,
                            const std::string& workflow_id) {
  if (history.events().empty() ||
      history.events(0).event_type() != enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) {
    return fail(Code::kInvalidArgument,
                "the history does not begin with WorkflowExecutionStarted; export it whole");
  }
  const auto& started = history.events(0).workflow_execution_started_event_attributes();
  ReplayReport report;
  report.workflow_id = started.workflow_id().empty() ? workflow_id : started.workflow_id();
  report.run_id = started.original_execution_run_id();
  report.workflow_type = started.workflow_type().name();
  report.events = static_cast<std::size_t>(history.events_size());
  if (registry.find_workflow(report.workflow_type) == nullptr) {
    return fail(Code::kFailedPrecondition,
                "no workflow of type \"" + report.workflow_type + "\" is registered with this replayer");
  }
  worker::WorkflowRun run(registry, "replay", report.workflow_id, report.run_id, {});
  const auto result = run.apply(history.events(), {});
  if (result.failure) {
    report.error = result.failure->failure.message();
    report.nondeterministic =
        result.failure->cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
  }
  return report;
}

}  // namespace

Result<ReplayReport> Replayer::replay_json(std::string_view json, const std::string& workflow_id) const {
  pb::history::v1::History history;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), static_cast<std::ptrdiff_t>(json.size())), &history,
      options);
  if (!status.ok()) {
    return fail(Code::kInvalidArgument, "the history is not temporal.api.history.v1.History as JSON: " +
                                            std::string(status.message()));
  }
  return replay(*this, history, workflow_id);
}

Result<ReplayReport> Replayer::replay_binary(std::string_view bytes, const std::string& workflow_id) const {
  pb::history::v1::History history;
  if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Code::kInvalidArgument, "the bytes are not a serialised temporal.api.history.v1.History");
  }
  return replay(*this, history, workflow_id);
}

}  // namespace holdfast
