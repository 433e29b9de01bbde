#pragma once

// What a node of n8n becomes. Internal to the room.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "intake/n8n_expression.h"
#include "intake/n8n_workflow.h"

namespace holdfast::flows {

// Of a foreign object: its member, or nothing.
std::string text_in(const nlohmann::ordered_json& object, const char* key);
nlohmann::ordered_json value_in(const nlohmann::ordered_json& object, const char* key);
double version_of(const N8nNode& node);
bool is_on(const N8nNode& node, const char* flag);

// The parameters of a node: what is not asked for is told.
class N8nParameters {
 public:
  explicit N8nParameters(nlohmann::ordered_json value) : value_(std::move(value)) {}

  // Null where there is none.
  nlohmann::ordered_json take(const std::string& key);
  std::string text(const std::string& key, const std::string& fallback = "");
  // What nobody took, and is not empty.
  nlohmann::ordered_json rest() const;

 private:
  nlohmann::ordered_json value_;
  std::set<std::string> taken_;
};

// One node while it becomes a block.
struct N8nStep {
  const N8nWorkflow& workflow;
  const N8nNode& node;
  const N8nNames& names;
  N8nParameters parameters;
  std::string type;                                         // of the block
  nlohmann::ordered_json with;                              // null: it has none
  std::vector<std::string> outlets;                         // of its outputs, where they are not `done`
  std::vector<std::string> check;                           // what a person should look at
  std::vector<std::string> left_out;                        // what has no counterpart
  std::vector<std::pair<std::string, std::string>> agents;  // files
  bool understood = true;                                   // false: it is a block that fails

  // Of a value of a parameter; what of it is unknown is noted.
  N8nValue value(const nlohmann::ordered_json& from);
  // It becomes a block that fails and says why.
  void give_up(std::string why);
};

// Null: there is no counterpart.
using N8nMapping = void (*)(N8nStep& step);
N8nMapping mapping_of(std::string_view type);
// Whether what comes in goes out unchanged: those behind it read what is before it.
bool passes_through(const N8nNode& node);

// n8n_conditions.cc
void map_if(N8nStep& step);
void map_filter(N8nStep& step);
void map_switch(N8nStep& step);
// n8n_http.cc
void map_http(N8nStep& step);
// n8n_agent.cc
void map_agent(N8nStep& step);

}  // namespace holdfast::flows
