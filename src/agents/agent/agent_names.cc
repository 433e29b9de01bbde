#include "agent/agent_names.h"

#include "definition/names.h"
#include "protocol/agent_reference.h"

namespace holdfast::agent {

namespace {

std::optional<std::string> check_name(const std::string& reference, const char* what_it_is) {
  const auto read = protocol::parse_agent_reference(reference);
  if (!read) return read.error().message();
  if (reference.empty() || is_agent_name(read->agent)) return std::nullopt;
  return what_it_is;
}

}  // namespace

std::optional<std::string> check_agent(const std::string& reference) {
  return check_name(reference,
                    "must be an agent's name, lower-case letters, digits and `-`, perhaps with a label or a "
                    "version: researcher@production");
}

std::optional<std::string> check_flow(const std::string& reference) {
  return check_name(reference,
                    "must be a flow's name, lower-case letters, digits and `-`, perhaps with a version: "
                    "refund@3fa9c1");
}

}  // namespace holdfast::agent
