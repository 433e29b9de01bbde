#include "activities/flow_place.h"

#include <utility>

#include "activities/catalog.h"
#include "activities/settings.h"
#include "base/json.h"
#include "base/kept_numbers.h"
#include "base/sha256.h"
#include "spec/reference_template.h"

namespace holdfast::agent {

namespace {

// A key that is longer is told and found by its hash.
constexpr std::size_t kMaxTold = 128;

}  // namespace

std::optional<platform::FlowPlace> flow_place(const AgentDefinition& agent, const Json& input,
                                              const Json& context) {
  if (!agent.flow) return std::nullopt;
  const FlowSpec& flow = *agent.flow;
  Json document = {{"input", input}, {"context", context}};
  // What is JSON in a text is as good as JSON, with its numbers as they were written.
  if (const auto* text = input.get_ptr<const std::string*>()) {
    if (auto read = read_json(*text, kMaxForeignJsonDepth, Integers::kExact)) {
      document["input"] = std::move(*read);
    } else if (auto kept = parse_kept(*text, kMaxForeignJsonDepth); !kept.is_discarded()) {
      document["input"] = std::move(kept);
    }
  }
  if (flow.when && flow.when->evaluate(document) == spec::Truth::kFalse) return std::nullopt;
  platform::FlowPlace out;
  out.rules = flow.rules;
  if (!flow.key.empty()) {
    // Those that lack what the key is made of have a line of their own.
    const auto filled = spec::fill_references(Json(flow.key), document);
    if (filled) out.key = filled->is_string() ? filled->get<std::string>() : dump_kept(*filled);
  }
  if (out.key.size() > kMaxTold) out.key = "sha256:" + sha256_hex(out.key);
  out.line = agent.name + "/" + out.key;
  if (flow.rules.batch > 0) out.input = dump_json(input);
  return out;
}

Result<std::optional<platform::FlowPlace>> flow_of(const platform::Definition& definition,
                                                   const platform::StartIntent& intent) {
  // Most agents have none, and reading a definition takes its time.
  if (definition.text.find("\"flow\":") == std::string::npos) return std::nullopt;
  const auto agent = parse_definition(definition.text, definition.name);
  if (!agent) return fail(agent.error());
  const auto settings = read_settings(intent.settings);
  if (!settings) return fail(settings.error());
  const Json input = parse_json(intent.input);
  return flow_place(*agent, input.is_discarded() ? Json(intent.input) : input, settings->context);
}

}  // namespace holdfast::agent
