#pragma once

// An export of n8n as it stands in the file: nodes, and which leads to which. Nothing is understood of what a
// node does. Pure.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxN8nNodes = 1000;

struct N8nEdge {
  std::size_t from = 0;
  std::size_t output = 0;  // of `from`, from 0
  std::size_t to = 0;
};

struct N8nNode {
  std::string name;
  std::string type;  // "n8n-nodes-base.httpRequest"
  std::string kind;  // "httpRequest"
  std::string id;    // as a block's
  nlohmann::ordered_json raw;
  bool trigger = false;
  std::vector<N8nEdge> in;         // of `main`, without those that go back
  std::vector<std::size_t> parts;  // nodes that serve this one (a model, a tool), and are no steps
  bool serves = false;             // it is such a part
  bool reached = false;            // from a trigger

  nlohmann::ordered_json parameters() const;
};

struct N8nWorkflow {
  std::string name;
  nlohmann::ordered_json raw;
  std::vector<N8nNode> nodes;
  std::vector<N8nEdge> back;        // edges that close a circle
  std::vector<std::string> broken;  // what connections name and there is not

  std::optional<std::size_t> find(std::string_view node) const;
};

// INVALID_ARGUMENT: it is no such export.
Result<N8nWorkflow> read_n8n(std::string_view text, std::string_view source);

}  // namespace holdfast::flows
