#include "perform/deploy_flow.h"

#include <fmt/format.h>

#include "activities/settings.h"
#include "base/json.h"
#include "base/sha256.h"
#include "block/program.h"
#include "net/reach.h"
#include "spec/json_schema.h"

namespace holdfast::flows {

namespace {

// Every refusal at once, a line each.
Status check_grants(const std::vector<BlockNeeds>& blocks, const grant::Permits& permits,
                    std::string_view source) {
  std::string message;
  std::vector<Status> refused;
  for (const BlockNeeds& block : blocks) {
    for (const agent::Need& need : block.needs) {
      Status status = permits.check(need);
      if (status.ok()) continue;
      if (!message.empty()) message += '\n';
      message += fmt::format("{}: block `{}`: {}", source, block.block, status.message());
      refused.push_back(std::move(status));
    }
  }
  if (refused.empty()) return {};
  Status out(Code::kPermissionDenied, std::move(message));
  for (const Status& one : refused) net::add_missing_grants(out, one);
  return out;
}

// The first block whose code is in that language, or empty.
std::string first_in(CodeLanguage language, const Program& program) {
  for (std::size_t i = 0; i < program.blocks.size(); ++i) {
    if (language_of(program.blocks[i]) == language) return program.flow.blocks[i].id;
    if (!program.blocks[i].body) continue;
    if (std::string id = first_in(language, *program.blocks[i].body); !id.empty()) return id;
  }
  return {};
}

Status check_languages(const Program& program, const FlowToDeploy& from) {
  if (!from.check_language) return {};
  for (const CodeLanguage language : {CodeLanguage::kPython, CodeLanguage::kMonty}) {
    const std::string block = first_in(language, program);
    if (block.empty()) continue;
    const Status status = from.check_language(language);
    if (!status.ok())
      return {Code::kFailedPrecondition,
              fmt::format("{}: block `{}`: {}", from.source, block, status.message())};
  }
  return {};
}

}  // namespace

Result<DeployedFlow> deploy_flow(platform::Store& store, const FlowToDeploy& from) {
  auto program = read_program(from.text, from.source, from.base_directory);
  if (!program) return fail(program.error());
  const std::string stored_as = protocol::agent_of_flow(program->flow.name);
  if (from.expected_as.size() > protocol::kFlowPrefix.size() && stored_as != from.expected_as) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the flow calls itself '{}', not '{}'", program->flow.name,
                            from.expected_as.substr(protocol::kFlowPrefix.size())));
  }
  if (Status status = check_languages(*program, from); !status.ok()) return fail(std::move(status));
  const std::string text = canonical_json(*program);
  const std::string version = sha256_hex(text);
  const std::vector<BlockNeeds> blocks = needs_of(*program);
  if (from.within) {
    Status granted = check_grants(blocks, *from.within->of(version), from.source);
    if (!granted.ok()) return fail(std::move(granted));
  }
  DeployedFlow out;
  for (const BlockNeeds& block : blocks)
    out.needs.insert(out.needs.end(), block.needs.begin(), block.needs.end());
  const auto before = store.current_definition(stored_as);
  if (!before && before.error().code() != Code::kNotFound) return fail(before.error());
  const auto known = store.definition(stored_as, version);
  if (!known && known.error().code() != Code::kNotFound) return fail(known.error());
  const auto stored = store.put_definition(stored_as, text);
  if (!stored) return fail(stored.error());
  out.stored_as = stored_as;
  out.version = stored->hash;
  out.created = !before || before->hash != stored->hash;
  out.is_new = !known;
  return out;
}

Status check_start(const platform::Definition& definition, std::string_view input) {
  const auto value = read_json(input, kMaxJsonDepth, Integers::kExact);
  if (!value) return {Code::kInvalidArgument, fmt::format("the input: {}", value.error().message())};
  const Json text = parse_json(definition.text);
  if (!text.is_object()) return {Code::kDataLoss, "the stored flow cannot be read"};
  const Json schema = text.value(Json::json_pointer("/spec/input"), Json());
  if (schema.is_null()) return {};
  if (auto bad = spec::validate(schema, *value)) return {Code::kInvalidArgument, "the input: " + *bad};
  return {};
}

Status check_flow_settings(std::string_view text) {
  const auto settings = agent::read_settings(text);
  if (!settings) return settings.error();
  if (!settings->context.is_null())
    return {Code::kInvalidArgument, "a flow takes no `context`: give it what it needs as input"};
  if (!settings->notify.is_null())
    return {Code::kInvalidArgument, "a flow tells nobody by `notify` yet; remove it"};
  return {};
}

}  // namespace holdfast::flows
