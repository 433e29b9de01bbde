#include "app/start_rules.h"

#include <utility>

#include "activities/first_message.h"
#include "activities/flow_place.h"
#include "activities/settings.h"
#include "perform/deploy_flow.h"
#include "protocol/flow_run.h"

namespace holdfast::app {

Status check_settings(const platform::Definition& definition, std::string_view settings,
                      const grant::Grants& grants) {
  if (protocol::is_flow(definition.name)) return flows::check_flow_settings(settings);
  return agent::check_settings(definition, settings, grants);
}

Result<std::optional<platform::FlowPlace>> place_of(const platform::Definition& definition,
                                                    const platform::StartIntent& intent) {
  if (!protocol::is_flow(definition.name)) return agent::flow_of(definition, intent);
  Status status = flows::check_start(definition, intent.input);
  if (!status.ok()) return fail(std::move(status));
  return std::nullopt;
}

Status check_message(const std::string& text) {
  const auto message = agent::first_message(text);
  return message ? Status() : message.error();
}

Result<http::DeployedAgent> deploy_flow(platform::Store& store, const http::DefinitionText& from,
                                        const grant::Grants& grants,
                                        std::function<Status(flows::CodeLanguage)> check_language) {
  auto deployed = flows::deploy_flow(store, {.text = from.text,
                                             .source = from.source,
                                             .base_directory = from.base_directory,
                                             .expected_as = from.expected_name,
                                             .within = &grants,
                                             .check_language = std::move(check_language)});
  if (!deployed) return fail(deployed.error());
  return http::DeployedAgent{deployed->stored_as, deployed->version, deployed->created, deployed->is_new};
}

}  // namespace holdfast::app
