// AI nodes of n8n: an agent, or a chain around a model, becomes a block of type agent and a file with that
// agent. Its model, memory and tools are nodes of their own that serve it.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "intake/flow_text.h"
#include "intake/n8n_nodes.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

struct Provider {
  std::string_view kind;
  std::string_view name;
  std::string_view key;
};
constexpr Provider kProviders[] = {
    {"lmChatOpenAi", "openai", "OPENAI_API_KEY"},
    {"lmChatAnthropic", "anthropic", "ANTHROPIC_API_KEY"},
    {"lmChatGoogleGemini", "gemini", "GEMINI_API_KEY"},
    {"openAi", "openai", "OPENAI_API_KEY"},
};

// A text, or what n8n's resource locator has as its value.
std::string name_in(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("value") && value["value"].is_string()) return value["value"];
  return "";
}

Json model_of(N8nStep& step, const N8nNode& node) {
  Json parameters = node.parameters();
  for (const Provider& one : kProviders) {
    if (one.kind != node.kind) continue;
    std::string name = name_in(value_in(parameters, "model"));
    if (name.empty()) name = name_in(value_in(parameters, "modelName"));
    if (name.empty()) name = name_in(value_in(parameters, "modelId"));
    if (name.empty()) {
      step.check.push_back("which model it asks is not said; gpt-4o-mini stands in its agent's file");
      name = "gpt-4o-mini";
    }
    return {{"provider", one.name}, {"name", name}, {"api_key_env", one.key}};
  }
  step.left_out.push_back(fmt::format("its model `{}` ({})", node.name, node.type));
  return nullptr;
}

std::string agent_name(const std::string& id) {
  std::string out = id;
  std::ranges::replace(out, '_', '-');
  while (out.ends_with('-')) out.pop_back();
  return out.substr(0, 63);
}

bool is_model(const N8nNode& node) {
  return std::ranges::any_of(kProviders, [&](const Provider& one) { return one.kind == node.kind; }) ||
         node.kind.starts_with("lm");
}

// What is said to the model: a system message is its prompt, another one what it is asked.
void messages_of(N8nStep& step, std::string& prompt, Json& input) {
  const Json messages = step.parameters.take("messages");
  const bool of_chain = !value_in(messages, "messageValues").is_null();
  for (const Json& one : value_in(messages, of_chain ? "messageValues" : "values")) {
    const std::string text = text_in(one, of_chain ? "message" : "content");
    const std::string type = text_in(one, of_chain ? "type" : "role");
    const bool is_system = of_chain ? type.empty() || type.starts_with("System") : type == "system";
    if (is_system && prompt.empty())
      prompt = text;
    else if (!is_system && input.is_null() && !text.empty())
      input = text;
    else
      step.left_out.push_back(fmt::format("another message to its model: {}", dump_json(one)));
  }
}

}  // namespace

void map_agent(N8nStep& step) {
  Json model;
  if (is_model(step.node)) model = model_of(step, step.node);
  for (const std::size_t part : step.node.parts) {
    const N8nNode& node = step.workflow.nodes[part];
    if (is_model(node) && model.is_null())
      model = model_of(step, node);
    else
      step.left_out.push_back(fmt::format("`{}` ({}) with {}: give the agent's file such a tool", node.name,
                                          node.type, dump_json(node.parameters())));
  }
  if (model.is_null()) {
    step.check.push_back("its model was not understood; openai stands in its agent's file");
    model = {{"provider", "openai"}, {"name", "gpt-4o-mini"}, {"api_key_env", "OPENAI_API_KEY"}};
  }
  const Json options = step.parameters.take("options");
  std::string prompt = name_in(options.is_object() ? value_in(options, "systemMessage") : Json());
  for (const auto& [key, value] : options.items()) {
    if (key != "systemMessage")
      step.left_out.push_back(fmt::format("its option `{}`: {}", key, dump_json(value)));
  }
  Json input = step.parameters.take("text");
  const Json older = step.parameters.take("prompt");
  if (input.is_null() && older.is_string()) input = older;
  messages_of(step, prompt, input);
  if (prompt.starts_with('=')) {
    step.check.push_back("its system message was computed; an agent's prompt is the same in every run");
    prompt.erase(0, 1);
  }
  if (prompt.empty()) prompt = "You are a helpful assistant.";
  for (const char* key : {"promptType", "agent", "resource", "modelId"}) step.parameters.take(key);
  const Json asked = input.is_null() ? Json("{{ " + step.names.json + " }}") : step.value(input).text;
  const std::string name = agent_name(step.node.id);
  const Json agent = {{"apiVersion", "holdfast.dev/v1"},
                      {"kind", "Agent"},
                      {"metadata", {{"name", name}}},
                      {"spec", {{"model", model}, {"prompt", prompt}}}};
  step.agents.emplace_back(name + ".yaml", flow_text(agent));
  step.check.push_back(fmt::format("register its agent before the flow: {}.yaml", name));
  step.type = "agent";
  step.with = {{"agent", name}, {"arguments", {{"input", asked}}}};
}

}  // namespace holdfast::flows
