// What a run says of itself: the answer to the query __temporal_workflow_metadata, which consoles and
// Temporal's command line ask.

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/json.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {
namespace {

template <typename Handlers>
std::set<std::string> names_of(const Handlers& handlers) {
  std::set<std::string> names;
  for (const auto& [name, handler] : handlers) names.insert(name);
  return names;
}

// A handler without a name takes what no other does.
nlohmann::json definitions(const std::set<std::string>& names, bool dynamic) {
  auto out = nlohmann::json::array();
  for (const std::string& name : names) out.push_back({{"name", name}});
  if (dynamic) out.push_back(nlohmann::json::object());
  return out;
}

}  // namespace

// As temporal.api.sdk.v1.WorkflowMetadata has it.
Payload WorkflowRun::metadata() const {
  std::set<std::string> signals = names_of(signal_handlers_);
  signals.insert(signal_channels_.begin(), signal_channels_.end());
  const nlohmann::json json = {
      {"definition",
       {{"type", info_.workflow_type},
        {"queryDefinitions", definitions(names_of(query_handlers_), dynamic_query_handler_ != nullptr)},
        {"signalDefinitions", definitions(signals, dynamic_signal_handler_ != nullptr)},
        {"updateDefinitions", definitions(names_of(update_handlers_), false)}}}};
  return Payload({{"encoding", "json/protobuf"}, {"messageType", "temporal.api.sdk.v1.WorkflowMetadata"}},
                 dump_json(json));
}

}  // namespace holdfast::worker
