#include "activities/catalog.h"

#include "agent/workflow_tool.h"
#include "model/provider.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

const Catalog& agent_catalog() {
  static const Catalog kCatalog = [] {
    Catalog out;
    for (const ActivityTool* tool : activity_tools()) out.tools.push_back(&tool->type);
    for (const WorkflowTool* tool : workflow_tools()) out.tools.push_back(&tool->type);
    for (const model::Provider* provider : model::providers()) out.providers.push_back(provider->name);
    return out;
  }();
  return kCatalog;
}

Result<AgentDefinition> parse_definition(std::string_view text, std::string_view source,
                                         std::string_view base_directory) {
  return parse_definition(agent_catalog(), text, source, base_directory);
}

std::string definition_schema() {
  return definition_schema(agent_catalog());
}

}  // namespace holdfast::agent
