#pragma once

// AgentFile: the definition of an agent, written in C++ instead of YAML. Its text is what agent.yaml says
// (docs/guide/agents.md), so whatever is read, checked, compared and versioned there is here, too: a program
// that prints it registers it with `holdfast agent apply -`.
//
//   AgentFile refunds("refunds");
//   refunds.model("openai", "gpt-4o-mini").set("spec.model.api_key_env", "OPENAI_API_KEY");
//   refunds.prompt("You settle refund requests.");
//   refunds.tool(AgentTool("find_order", "sql")
//                    .description("One order by its number.")
//                    .argument("order_id", "integer")
//                    .set("sql.database", "shop.db")
//                    .set("sql.statement", "SELECT * FROM orders WHERE id = :order_id"));
//   refunds.ask("issue_refund", "amount > 100", "Above the limit.");
//   std::cout << refunds.text();
//
// Plain values; nothing is checked here: mistakes are told by whoever reads the text, all at once.

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

namespace detail {

// "sql.database" within `root`; what is on the way is made.
inline nlohmann::json& at_path(nlohmann::json& root, std::string_view path) {
  nlohmann::json* place = &root;
  while (true) {
    const std::size_t dot = path.find('.');
    place = &(*place)[std::string(path.substr(0, dot))];
    if (dot == std::string_view::npos) return *place;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace detail

// One tool: the keys that every tool has, and by set() those of its type.
class AgentTool {
 public:
  AgentTool(std::string name, std::string type) {
    json_["name"] = std::move(name);
    json_["type"] = std::move(type);
  }

  AgentTool& description(std::string text) { return set("description", std::move(text)); }
  // `type` as JSON Schema calls it, or a whole schema as in argument("order", {{"type", "integer"}}).
  AgentTool& argument(const std::string& name, nlohmann::json type, bool required = true) {
    nlohmann::json& parameters = json_["parameters"];
    parameters["x-holdfast-order"].push_back(name);  // JSON is sorted, the model sees the order of the calls
    parameters["properties"][name] =
        type.is_string() ? nlohmann::json::object({{"type", type}}) : std::move(type);
    if (required) parameters["required"].push_back(name);
    return *this;
  }
  // pure, idempotent, at_most_once or transactional
  AgentTool& effect(std::string effect) { return set("effect", std::move(effect)); }
  // Any key of agent.yaml's tool, by its path: "http.url", "retry.attempts".
  AgentTool& set(std::string_view path, nlohmann::json value) {
    detail::at_path(json_, path) = std::move(value);
    return *this;
  }

  const nlohmann::json& json() const { return json_; }

 private:
  nlohmann::json json_ = nlohmann::json::object();
};

class AgentFile {
 public:
  explicit AgentFile(std::string name) {
    json_ = {{"apiVersion", "holdfast.dev/v1"}, {"kind", "Agent"}};
    set("metadata.name", std::move(name));
  }

  AgentFile& description(std::string text) { return set("metadata.description", std::move(text)); }
  AgentFile& model(std::string provider, std::string name) {
    set("spec.model.provider", std::move(provider));
    return set("spec.model.name", std::move(name));
  }
  AgentFile& prompt(std::string text) { return set("spec.prompt", std::move(text)); }
  AgentFile& tool(const AgentTool& tool) { return add("spec.tools", tool.json()); }
  // Rules of approval, in the order in which they are asked; `when` may be empty: always.
  AgentFile& allow(std::string tool, std::string when = {}) { return rule("allow", tool, when, {}); }
  AgentFile& ask(std::string tool, std::string when = {}, std::string reason = {}) {
    return rule("ask", tool, when, reason);
  }
  AgentFile& deny(std::string tool, std::string when = {}, std::string reason = {}) {
    return rule("deny", tool, when, reason);
  }
  // Any key of agent.yaml, by its path: "spec.limits.max_iterations".
  AgentFile& set(std::string_view path, nlohmann::json value) {
    detail::at_path(json_, path) = std::move(value);
    return *this;
  }
  // One more in the list at `path`.
  AgentFile& add(std::string_view path, nlohmann::json value) {
    detail::at_path(json_, path).push_back(std::move(value));
    return *this;
  }

  // JSON, which is YAML. Bytes that are no UTF-8 become U+FFFD.
  std::string text() const {
    return json_.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  }

 private:
  AgentFile& rule(const char* action, const std::string& tool, const std::string& when,
                  const std::string& reason) {
    nlohmann::json out = {{"tool", tool}, {"action", action}};
    if (!when.empty()) out["when"] = when;
    if (!reason.empty()) out["reason"] = reason;
    return add("spec.approvals.rules", std::move(out));
  }

  nlohmann::json json_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
