// What a run says of itself: the answer to the query __temporal_workflow_metadata, which consoles and
// Temporal's command line ask.

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {
namespace {

// A handler without a name takes what no other does.
template <typename Handlers>
nlohmann::json definitions(const Handlers& handlers, bool dynamic) {
  auto out = nlohmann::json::array();
  for (const auto& [name, handler] : handlers) out.push_back({{"name", name}});
  if (dynamic) out.push_back(nlohmann::json::object());
  return out;
}

}  // namespace

// As temporal.api.sdk.v1.WorkflowMetadata has it.
Payload WorkflowRun::metadata() const {
  const nlohmann::json json = {
      {"definition",
       {{"type", info_.workflow_type},
        {"queryDefinitions", definitions(query_handlers_, dynamic_query_handler_ != nullptr)},
        {"signalDefinitions", definitions(signal_handlers_, dynamic_signal_handler_ != nullptr)},
        {"updateDefinitions", definitions(update_handlers_, false)}}}};
  return Payload({{"encoding", "json/protobuf"}, {"messageType", "temporal.api.sdk.v1.WorkflowMetadata"}},
                 dump_json(json));
}

}  // namespace holdfast::worker
