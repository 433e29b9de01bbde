#include "activities/deploy.h"

#include <fmt/format.h>

#include "definition/definition.h"

namespace holdfast::agent {

namespace {

// A stored definition has no folder any more: a relative path would mean whatever folder the worker was
// started in.
Status check_paths(const Definition& definition, std::string_view source) {
  for (const ToolSpec& tool : definition.tools) {
    const std::string& database = tool.sql.database;
    if (tool.kind != ToolKind::kSql || database.starts_with('/') || database.starts_with("${")) continue;
    return {Code::kInvalidArgument,
            fmt::format("{}: tool `{}`: `database: {}` is relative, and this text came without a folder to "
                        "start from; make it absolute, or say where the file lies",
                        source, tool.name, database)};
  }
  return {};
}

}  // namespace

Result<Deployed> deploy(platform::Store& store, std::string_view text, std::string_view source,
                        std::string_view base_directory) {
  auto parsed = parse_definition(text, source, base_directory);
  if (!parsed) return fail(parsed.error());
  if (Status paths = check_paths(*parsed, source); !paths.ok()) return fail(std::move(paths));
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
