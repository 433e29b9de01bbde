#include "platform/find_version.h"

#include <fmt/format.h>

#include "protocol/agent_reference.h"

namespace holdfast::platform {

namespace {

Status no_version(std::string_view agent, std::string_view version) {
  return {Code::kNotFound,
          fmt::format("agent '{}' has no version or label '{}'", agent, version.substr(0, 200))};
}

Result<Definition> by_beginning(Store& store, std::string_view agent, std::string_view digits) {
  Result<std::vector<std::string>> found = store.versions_beginning(agent, digits);
  if (!found) return fail(found.error());
  if (found->empty()) return fail(no_version(agent, digits));
  if (found->size() > 1) {
    return fail(Code::kInvalidArgument,
                fmt::format("several versions of agent '{}' begin with '{}', as {} and {}: give more digits",
                            agent, digits, found->front().substr(0, 16), found->back().substr(0, 16)));
  }
  return store.definition(agent, found->front());
}

}  // namespace

Result<Definition> find_version(Store& store, std::string_view agent, std::string_view version) {
  if (version.empty()) return store.current_definition(agent);
  if (protocol::is_version_beginning(version)) {
    return version.size() == protocol::kVersionDigits ? store.definition(agent, version)
                                                      : by_beginning(store, agent, version);
  }
  if (!protocol::is_label(version)) return fail(no_version(agent, version));
  Result<std::optional<Label>> label = store.label(agent, version);
  if (!label) return fail(label.error());
  if (!*label) return fail(no_version(agent, version));
  return store.definition(agent, (*label)->hash);
}

}  // namespace holdfast::platform
