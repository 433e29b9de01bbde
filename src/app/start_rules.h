#pragma once

// What a server lets be deployed and begun, whether it is an agent or a flow. Any thread; calls block.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "block/code_block.h"
#include "grant/grants.h"
#include "http/api.h"
#include "platform/store.h"

namespace holdfast::app {

// runs::RunsDependencies::check_settings
Status check_settings(const platform::Definition& definition, std::string_view settings,
                      const grant::Grants& grants);
// runs::RunsDependencies::flow_of. Of a flow: whether its input is one that it takes.
Result<std::optional<platform::FlowPlace>> place_of(const platform::Definition& definition,
                                                    const platform::StartIntent& intent);
// runs::RunsDependencies::check_message
Status check_message(const std::string& text);
// http::ApiDependencies::deploy, where `expected_name` is a flow's.
Result<http::DeployedAgent> deploy_flow(platform::Store& store, const http::DefinitionText& from,
                                        const grant::Grants& grants,
                                        std::function<Status(flows::CodeLanguage)> check_language);

}  // namespace holdfast::app
