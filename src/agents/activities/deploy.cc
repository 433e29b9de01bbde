#include "activities/deploy.h"

#include <fmt/format.h>

#include "activities/catalog.h"

namespace holdfast::agent {

namespace {

Status check_tools(const AgentDefinition& definition, std::string_view source) {
  for (const ToolSpec& tool : definition.tools) {
    if (!tool.type->check) continue;
    if (auto bad = tool.type->check(tool)) {
      return {Code::kInvalidArgument, fmt::format("{}: tool `{}`: {}", source, tool.name, *bad)};
    }
  }
  return {};
}

}  // namespace

Result<Deployed> deploy(platform::Store& store, std::string_view text, std::string_view source,
                        std::string_view base_directory) {
  auto parsed = parse_definition(text, source, base_directory);
  if (!parsed) return fail(parsed.error());
  if (Status tools = check_tools(*parsed, source); !tools.ok()) return fail(std::move(tools));
  close_parameters(*parsed);
  auto before = store.current_definition(parsed->name);
  if (!before && before.error().code() != Code::kNotFound) return fail(before.error());
  auto stored = store.put_definition(parsed->name, canonical_json(*parsed));
  if (!stored) return fail(stored.error());
  Deployed out;
  out.name = stored->name;
  out.version = stored->hash;
  out.created = !before || before->hash != stored->hash;
  return out;
}

}  // namespace holdfast::agent
