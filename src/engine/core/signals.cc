#include "engine/signals.h"

#include "engine/errors.h"
#include "engine/links.h"

namespace holdfast::engine {

Status check_signal(const ws::SignalWorkflowExecutionRequest& request, const history::Limits& limits) {
  if (request.signal_name().empty()) return errors::invalid("SignalName is not set on request.");
  if (request.signal_name().size() > static_cast<std::size_t>(limits.id_bytes)) {
    return errors::invalid("SignalName length exceeds limit.");
  }
  if (static_cast<std::int64_t>(request.input().ByteSizeLong()) > limits.blob_bytes) {
    return errors::invalid("Blob data size exceeds limit: a signal's input may have " +
                           std::to_string(limits.blob_bytes) + " bytes.");
  }
  return check_links(request.links());
}

Status check_signal_count(const Run& run, const history::Limits& limits) {
  const auto most = limits.signals;
  if (run.ms->s().signal_count() < most) return Status();
  return errors::invalid("exceeded workflow execution limit for signal events: the run has received " +
                         std::to_string(most) + " signals; continue as new.");
}

pb::history::v1::WorkflowExecutionSignaledEventAttributes signal_attributes(
    const ws::SignalWorkflowExecutionRequest& request) {
  pb::history::v1::WorkflowExecutionSignaledEventAttributes attributes;
  attributes.set_signal_name(request.signal_name());
  if (request.has_input()) *attributes.mutable_input() = request.input();
  attributes.set_identity(request.identity());
  if (request.has_header()) *attributes.mutable_header() = request.header();
  attributes.set_request_id(request.request_id());
  return attributes;
}

}  // namespace holdfast::engine
