// Grants of a server: the operator's, from its command line, and those of tools, from its store.

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "app/input_file.h"
#include "app/node.h"
#include "app/operator_grants.h"
#include "grant/grants_file.h"

namespace holdfast::app {

Status Node::read_grants() {
  std::vector<std::string> texts = options_.grants;
  if (const char* more = std::getenv("HOLDFAST_GRANTS"); more != nullptr) {
    std::istringstream words(more);
    for (std::string word; words >> word;) texts.push_back(word);
  }
  for (const std::string& text : texts) {
    auto grant = grant::parse_grant(text);
    if (!grant) return {grant.error().code(), "--grant: " + grant.error().message()};
    operator_grants_.push_back(grant::shown(*grant));
    grants_.allow(*std::move(grant));
  }
  for (const std::string& file : options_.grant_files) {
    auto text = read_file(file);
    if (!text) return {text.error().code(), "--grants: " + text.error().message()};
    auto grants = grant::parse_grants_file(*text, file);
    if (!grants) return grants.error();
    for (grant::Grant& grant : *grants) {
      operator_grants_.push_back(grant::shown(grant));
      grants_.allow(std::move(grant));
    }
  }
  return {};
}

Status Node::open_tool_grants() {
  auto grants = grant::ToolGrants::open(*platform_.grants, options_.namespace_name, clock_);
  if (!grants) return grants.error();
  tool_grants_ = *std::move(grants);
  return {};
}

Status Node::record_grants() {
  operator_grants_ = sorted_grants(std::move(operator_grants_));
  return record_operator_grants(*platform_.store, operator_grants_);
}

}  // namespace holdfast::app
