#include "holdfast/worker.h"

namespace holdfast {
namespace {

template <typename Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> out;
  for (const auto& each : map) out.push_back(each.first);
  return out;
}

}  // namespace

const workflow::WorkflowFunction* Registry::find_workflow(const std::string& name) const {
  const auto found = workflows_.find(name);
  if (found != workflows_.end()) return &found->second;
  return dynamic_workflow_ ? &dynamic_workflow_ : nullptr;
}

const activity::ActivityFunction* Registry::find_activity(const std::string& name) const {
  const auto found = activities_.find(name);
  if (found != activities_.end()) return &found->second;
  return dynamic_activity_ ? &dynamic_activity_ : nullptr;
}

std::vector<std::string> Registry::workflow_names() const {
  auto names = names_of(workflows_);
  if (dynamic_workflow_) names.emplace_back("*");
  return names;
}

std::vector<std::string> Registry::activity_names() const {
  auto names = names_of(activities_);
  if (dynamic_activity_) names.emplace_back("*");
  return names;
}

void detail::throw_invalid_arguments(const char* what) {
  throw ApplicationFailure::non_retryable(std::string("the arguments do not fit: ") + what,
                                          "InvalidArguments");
}

}  // namespace holdfast
