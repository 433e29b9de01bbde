// `type: model`: one model call. It is a run of an agent whose definition stands here
// (definition/agent_in_flow.h): so it has the models and fallbacks, budgets, ledger, stream and record that
// agents' calls have.

#include <fmt/format.h>

#include "agent/workflow_tool.h"
#include "base/json.h"
#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"
#include "definition/agent_in_flow.h"
#include "definition/model_section.h"
#include "model/provider.h"

namespace holdfast::flows {

namespace {

constexpr std::string_view kAgentTool = "agent";
constexpr std::chrono::hours kLongestCall{
    24};  // with all its waiting; each asking has the timeout of its model

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["model", "prompt"],
    "properties": {
      "model": {"type": "object", "required": ["provider", "name"], "description": "As in an agent's definition, fallbacks included."},
      "prompt": {"type": "string", "minLength": 1, "description": "What the model is asked, with {{ expressions }}."},
      "system": {"type": "string", "description": "The same in every call."},
      "output_schema": {"type": ["object", "boolean"], "description": "JSON Schema of the answer."},
      "budgets": {"type": "object", "description": "As in an agent's definition."}
    }
  })json");
}

struct ModelSettings : BlockSettings {
  Json prompt;
  Json with;  // canonical, without `prompt`
  agent::Needs needs;
};

// It has no tools.
const agent::Catalog& catalog() {
  static const agent::Catalog kCatalog = [] {
    agent::Catalog out;
    for (const model::Provider* provider : model::providers()) out.providers.push_back(provider->name);
    return out;
  }();
  return kCatalog;
}

std::string url_of(const agent::ModelSpec& model) {
  if (!model.base_url.empty()) return model.base_url;
  const auto provider = model::find_provider(model.provider);
  return provider ? std::string((*provider)->default_url) : std::string();
}

void read_definition(BlockReader& reader, ModelSettings& out) {
  spec::MapReader& with = reader.with;
  agent::AgentDefinition model;
  if (with.has("models"))
    with.problem("models", "a block asks one model: name it, and its fallbacks, in `model`");
  agent::parse_models(catalog(), with, model);
  model.budgets = agent::parse_budgets(with);
  const Json schema = with.schema("output_schema");
  const std::string system = with.text("system");
  if (is_template(system)) with.problem("system", "is the same in every call; {{ }} belong into `prompt`");
  if (!with.problems().empty()) return;
  Json spec = Json::object();
  agent::write_models(model, spec);
  out.with = {{"model", spec["model"]}};
  if (!system.empty()) out.with["system"] = system;
  if (!schema.is_null()) out.with["output_schema"] = schema;
  if (Json budgets = agent::budgets_json(model.budgets); !budgets.is_null()) out.with["budgets"] = budgets;
  // The rest of what an agent's definition must be.
  const auto read =
      agent::parse_definition(catalog(), dump_json(agent::definition_of_block(out.with)), "a block");
  if (!read) return reader.block.problem("with", read.error().message());
  out.needs = agent::model_needs(read->model, url_of);
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<ModelSettings>();
  read_definition(reader, *settings);
  settings->prompt = reader.with.json("prompt");
  if (settings->prompt.is_null())
    reader.with.missing("prompt", "what the model is asked, such as \"Sum up: {{ blocks.find }}\"");
  else if (!settings->prompt.is_string())
    reader.with.problem("prompt", "must be a text");
  auto tool = std::make_shared<agent::ToolSpec>();
  tool->name = reader.spec.id;
  tool->type = &agent::find_workflow_tool(kAgentTool)->type;
  tool->timeout = kLongestCall;
  reader.out.tool = std::move(tool);
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  const auto& settings = settings_of<ModelSettings>(block);
  Json out = settings.with;
  out["prompt"] = settings.prompt;
  return out;
}

agent::Needs needs(const BoundBlock& block) {
  return settings_of<ModelSettings>(block).needs;
}

// A prompt that is one expression may be anything: it is asked as JSON.
BlockResult run(const BoundBlock& block, Values& values) {
  Evaluated prompt = values.filled(settings_of<ModelSettings>(block).prompt);
  if (!prompt) return std::unexpected(prompt.error());
  BlockEnding out;
  out.value = fmt::format(R"({{"input":{}}})", prompt->starts_with('"') ? *prompt : dump_json(Json(*prompt)));
  return out;
}

void plan(const CallOfBlock& call, protocol::PlannedCall& planned) {
  planned.sub_agent = protocol::agent_of_block(call.flow, call.block.tool->name);
  planned.input = {{"version", call.version}, {"single", true}};
}

}  // namespace

constinit const RunnableBlock kModelBlock = whole({.type = "model",
                                                   .schema = schema,
                                                   .read = read,
                                                   .canonical = canonical,
                                                   .run = run,
                                                   .calls = kAgentTool,
                                                   .needs = needs,
                                                   .plan = plan});

}  // namespace holdfast::flows
