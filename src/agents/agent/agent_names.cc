#include "agent/agent_names.h"

#include "definition/names.h"
#include "protocol/agent_reference.h"

namespace holdfast::agent {

std::optional<std::string> check_agent(const std::string& reference) {
  const auto read = protocol::parse_agent_reference(reference);
  if (!read) return read.error().message();
  if (reference.empty() || is_agent_name(read->agent)) return std::nullopt;
  return "must be an agent's name, lower-case letters, digits and `-`, perhaps with a label or a version: "
         "researcher@production";
}

}  // namespace holdfast::agent
